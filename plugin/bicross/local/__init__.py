"""A real single-node Elasticsearch on this machine, from published jars, with the plugin in it.

`node.LocalNode` is the Python side, `commands` the command line. Nothing heavy is imported here.
"""
