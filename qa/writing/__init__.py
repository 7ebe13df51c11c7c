"""Whole texts written anew: translated, summarized. Knows no site and no person, only texts and models."""
