"""Exchanges each pair of the paths A B C D... for ever, at once for whoever looks (renameat2 with RENAME_EXCHANGE).

To the link and back within microseconds, so that most walks begin on the folder, and many meet the link.
"""

import ctypes
import os
import random
import sys

libc = ctypes.CDLL(None, use_errno=True)
pairs = [(sys.argv[i].encode(), sys.argv[i + 1].encode()) for i in range(1, len(sys.argv), 2)]
parent = os.getppid()
while os.getppid() == parent:
    a, b = random.choice(pairs)
    stay, rest = random.choice([(0, 200), (200, 500), (2000, 2000), (20, 20), (5000, 20000)])
    for turns in (stay, rest):
        if libc.renameat2(-100, a, -100, b, 2) != 0:
            sys.exit(os.strerror(ctypes.get_errno()))
        for _ in range(random.randrange(turns + 1)):
            pass
