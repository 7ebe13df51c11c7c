"""How much each person and each key may use: requests, tokens, work at once and jobs, counted in Redis."""
