"""The whole site in one file, and back: made while the site runs, restored into an empty data folder.

    staging.py     what belongs to a backup, held as it is at one moment
    database.py    the database as a file, and back
    archive.py     the tar file with its manifest: written, checked, unpacked
    making.py      `manage.py backup`
    restoring.py   `manage.py restore`
    settling.py    rows, files and indexes of a restored site agree with each other
"""
