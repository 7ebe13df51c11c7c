"""/v1/: what a client of OpenAI's interface expects, over this site's documents and models."""
