"""Figures of this machine: each module measures one thing, prints its table and returns its figures."""
