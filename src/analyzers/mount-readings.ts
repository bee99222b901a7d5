/** What a mount error comes down to. */
export interface Reading {
  readonly text: string;
  /** Whether it befalls one path of a server, and not whatever is mounted from it. */
  readonly ofPath: boolean;
}

const reading = (words: RegExp, text: string, ofPath = true) => ({ words, text, ofPath });

const readings = [
  reading(/no volume plugin matched/i, 'The kubelet has no plugin for a volume of this type'),
  reading(/access denied by server/i, 'The NFS server does not allow this node to mount the export'),
  // mount(8) names "a helper program" whenever it is at a loss; only with this does it mean one.
  reading(
    /need a \/sbin\/mount\.|unknown filesystem type/i,
    'The node lacks the mount helper or file system for it',
    false,
  ),
  reading(/already exists/i, 'An earlier operation on the volume still runs'),
  reading(/no such file or directory|does not exist/i, 'What is to be mounted does not exist there'),
  reading(
    /wrong fs type|bad superblock|structure needs cleaning|fsck/i,
    'The file system on it is damaged or of another type',
  ),
  reading(
    /timed out|no route to host|connection refused|i\/o timeout|unreachable|failed to resolve server|not responding/i,
    'The storage server cannot be reached from the node',
    false,
  ),
  reading(/deadlineexceeded|context deadline exceeded/i, 'The driver did not answer in time'),
  reading(/stale (nfs )?file handle/i, 'What was mounted has gone on the server'),
  reading(/node ?affinity/i, 'The volume may not be used from this node'),
  reading(/permission denied|operation not permitted/i, 'The node may not access it'),
];

export const readingOf = (message: string): Reading | undefined => readings.find(({ words }) => words.test(message));
