"""Engines compute: token ids in, numbers or text out. They know no users, sockets or documents."""
