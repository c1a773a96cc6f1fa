"""Everything of `ws` that is the same on every platform.

Pure standard library. It knows neither `websockets` nor a browser: what opens
sockets comes in through `transport.Connector`, what a platform can and cannot do
through `platform.Platform`. Applications import `ws`, never this package.
"""
