"""Our place at Hermes, where Tekton's components find each other.

Hermes forgets everything when it restarts and still thanks for heartbeats; its tokens live an hour
and are not renewed by them. So we look now and then whether we are still listed, and register anew
before the hour, after a 401 and when we were forgotten. Budgets never wait for any of it.
"""
