"""Outside systems → rows, pulled: an API, a table of a database, files in a folder.

definition   what a [[source]] says, checked
reference    credentials by name, never in clear
window       which stretches of the cursor are pulled
extract      one stretch → a file of rows

rest, table, folder: the three kinds, each through dlt, which is imported only here and only when
something is pulled: in a process of its own (`jobs.fetch`).
"""
