"""Work after the response, and the context of requests in threads."""
