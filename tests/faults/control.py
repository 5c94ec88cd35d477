"""The file that the shim maps: which calls on which files are counted, and what becomes of the Nth one."""
import mmap
import os
import struct

CALLS = ['write', 'pwrite', 'pwritev', 'writev', 'fwrite', 'fsync', 'fdatasync', 'msync', 'sync_file_range', 'rename', 'open', 'create', 'unlink', 'mkdir', 'mmap',
         'ftruncate', 'fallocate', 'read', 'descriptor', 'thread', 'memory', 'foldersync']
FILES = ['wal', 'journal', 'state', 'keys', 'erased', 'exports', 'models', 'lock', 'other', 'outside', 'elsewhere', 'own', 'library']
ACTS = ['fail', 'short', 'torn', 'kill', 'kill-after', 'power', 'power-some']
WRITES = {'write', 'pwrite', 'pwritev', 'writev'}
POWER = {'power', 'power-some'}                          # it is killed, and what was not synced is lost, all of it or a part
BELOW = FILES[:FILES.index('elsewhere')]                # files below the root
# Several calls at once: what a full disk refuses, what a dying one does, what is missing when descriptors are out.
TOGETHER = {
    'full-disk': (['write', 'pwrite', 'pwritev', 'writev', 'fwrite', 'create', 'mkdir', 'ftruncate', 'fallocate'], BELOW),
    'dead-disk': (['write', 'pwrite', 'pwritev', 'writev', 'fwrite', 'fsync', 'fdatasync', 'foldersync', 'rename', 'create', 'unlink', 'mkdir', 'ftruncate', 'fallocate'], BELOW),
    'descriptors': (['open', 'create', 'descriptor'], FILES),
}
HEAD = struct.Struct('<IIiIQQQQQQ')
EACH = struct.Struct('<Q')
COUNTS_AT, SHAPE = HEAD.size, (32, 16)
PATH_AT = COUNTS_AT + 8 * SHAPE[0] * SHAPE[1]
SIZE = PATH_AT + 512


def cells(call, file):
    """The calls and files that a case's words stand for."""
    if call in TOGETHER:
        return TOGETHER[call]
    return [call], (FILES if file == 'any' else [file])


class Control:
    def __init__(self, path):
        self.path = path
        with open(path, 'wb') as f:
            f.write(b'\0' * SIZE)
        self.file = open(path, 'r+b')
        self.map = mmap.mmap(self.file.fileno(), SIZE)

    def close(self):
        self.map.close()
        self.file.close()

    def arm(self, call, file, first, act, error, times, blocks=1):
        calls, files = cells(call, file)
        head = (0, ACTS.index(act), error, blocks, sum(1 << CALLS.index(c) for c in calls), sum(1 << FILES.index(f) for f in files), first, times, 0, 0)
        self.map[:HEAD.size] = HEAD.pack(*head)
        self.map[0:4] = struct.pack('<I', 1)

    def disarm(self):
        self.map[0:4] = struct.pack('<I', 0)

    @property
    def fired(self):
        return HEAD.unpack(self.map[:HEAD.size])[9]

    @property
    def hit_path(self):
        return self.map[PATH_AT:PATH_AT + 512].split(b'\0')[0].decode(errors='replace')

    def counts(self):
        out = {}
        for c, call in enumerate(CALLS):
            for f, file in enumerate(FILES):
                n = EACH.unpack_from(self.map, COUNTS_AT + 8 * (c * SHAPE[1] + f))[0]
                if n:
                    out[call, file] = n
        return out

    def trace(self):
        if not os.path.exists(self.path + '.trace'):
            return []
        with open(self.path + '.trace', errors='replace') as f:
            return f.read().splitlines()
