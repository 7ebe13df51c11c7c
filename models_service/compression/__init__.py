"""Finished models made smaller or quicker: in other numbers, without some weights, or taught by a larger one.

`methods.py` is the list of ways, each with its settings; `making.py` does one. What is made is measured beside what
it was made of (`costs.py`), and whether it is put into use is somebody else's decision.
"""
