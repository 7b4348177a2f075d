"""The client for programs that use asyncio: `AsyncClient` has the methods of `Client`."""
