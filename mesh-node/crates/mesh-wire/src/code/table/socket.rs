//! The socket that a node listens on: 4010 to 4019.

use crate::code::entry::Entry;
use crate::code::{Code, ErrorKind};

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        code: Code::SocketInUse,
        name: "socket_in_use",
        kind: ErrorKind::Conflict,
        retryable: true,
        title: "A running node already listens on the socket",
        cause: "A mesh-node is running on this socket already.",
        hint: "Use it: `mesh --url unix://PATH check`; or start another one elsewhere: `mesh-node --data \
        DIR --socket PATH`.",
        explanation: "The node tried the socket before it took it, and somebody answered or holds its lock. It \
        never takes a socket away from a living node.",
    },
    Entry {
        code: Code::SocketStale,
        name: "socket_stale",
        kind: ErrorKind::Config,
        retryable: false,
        title: "A stale socket file can't be removed",
        cause: "A socket file is left over from a node that is gone, and this user may not remove it.",
        hint: "Remove it as its owner: `rm PATH`; or use another path: `mesh-node --socket PATH`.",
        explanation: "A node that was killed leaves its socket file behind. The next one finds that nobody \
        answers and removes it. Here the file, or its directory, belongs to another user.",
    },
    Entry {
        code: Code::SocketNoDirectory,
        name: "socket_no_directory",
        kind: ErrorKind::Config,
        retryable: false,
        title: "There is no directory for the socket",
        cause: "None of the usual directories can be written to, and none was given.",
        hint: "Say where: `mesh-node --socket /tmp/mesh/mesh.sock`, and tell clients: `export \
        MESH_URL=unix:///tmp/mesh/mesh.sock`.",
        explanation: "Without `--socket` a node tries `$XDG_RUNTIME_DIR/mesh/mesh.sock`, then \
        `/run/mesh/mesh.sock`, then its data directory. None of them could be made. The cause says \
        why for each.",
    },
    Entry {
        code: Code::SocketPathTooLong,
        name: "socket_path_too_long",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The path of the socket is too long",
        cause: "Paths of Unix sockets have at most 107 bytes.",
        hint: "Use a shorter path: `mesh-node --socket /tmp/mesh.sock`, and the same in `MESH_URL` for \
        clients.",
        explanation: "The operating system keeps the path of a socket in a field of fixed size. Deep \
        directories, such as those of tests and containers, run into it. A shorter path, or a \
        symbolic link to the directory, helps.",
    },
    Entry {
        code: Code::SocketNotASocket,
        name: "socket_not_a_socket",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The path is not a socket",
        cause: "There is a file or a directory where the socket should be.",
        hint: "Check the path: `ls -ld PATH`; the node removes only sockets, never files.",
        explanation: "Something other than a socket has this path. A node does not remove it, since it may be of \
        value, and a client can't connect to it. Usually the path is that of the directory around \
        the socket.",
    },
    Entry {
        code: Code::SocketPermissionDenied,
        name: "socket_permission_denied",
        kind: ErrorKind::Config,
        retryable: false,
        title: "No permission to make the socket",
        cause: "This user may not make a socket in the directory, or the file system is read-only.",
        hint: "Use a directory of your own: `mesh-node --socket /tmp/mesh/mesh.sock`, or start as another \
        user.",
        explanation: "Making a socket needs the right to write into its directory. In containers with a \
        read-only root, mount an `emptyDir` for the socket and share it with the application.",
    },
    Entry {
        code: Code::SocketUnusable,
        name: "socket_unusable",
        kind: ErrorKind::Config,
        retryable: false,
        title: "The socket can't be used",
        cause: "The operating system refused the socket; the cause has its words.",
        hint: "Look at the cause; a path on a local file system, such as under /tmp, works everywhere.",
        explanation: "Binding or accepting failed for a reason that has no code of its own, for instance a file \
        system that can't hold sockets (some network and shared file systems of virtual machines), \
        or one that is full.",
    },
    Entry {
        code: Code::AcceptExhausted,
        name: "accept_exhausted",
        kind: ErrorKind::Busy,
        retryable: true,
        title: "The node ran out of files or memory for new links",
        cause: "The process may not open more files, or the machine has no memory for another socket.",
        hint: "Raise the limit of open files: `ulimit -n 65536` before the start, or `LimitNOFILE=` in \
        the unit.",
        explanation: "Each link is an open file. The node stays up for those that are connected, and takes new \
        links again as soon as others close.",
    },
];
