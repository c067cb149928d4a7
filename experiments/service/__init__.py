"""The service: an API over HTTP and the page that uses it. FastAPI and uvicorn are met in this folder alone, late."""
