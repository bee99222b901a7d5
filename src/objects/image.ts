/** The parts of an image reference, as the container runtimes read it (distribution/reference). */
export interface ImageReference {
  /** "docker.io" where none is written. */
  readonly host: string;
  /** Whether the host stands in the reference. */
  readonly hasHost: boolean;
  /** "library/nginx", "shop/web". */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

export function parseImage(image: string): ImageReference {
  const [named = '', digest] = image.split('@', 2);
  const slash = named.indexOf('/');
  const first = slash < 0 ? '' : named.slice(0, slash);
  // The first part is a host only if it could not be a user name on Docker Hub.
  const hasHost = first.includes('.') || first.includes(':') || first === 'localhost';
  const path = hasHost ? named.slice(slash + 1) : named;
  const colon = path.lastIndexOf(':');
  const tagged = colon > path.lastIndexOf('/');
  const repository = tagged ? path.slice(0, colon) : path;
  return {
    host: hasHost ? first : 'docker.io',
    hasHost,
    repository: hasHost || repository.includes('/') ? repository : `library/${repository}`,
    tag: tagged ? path.slice(colon + 1) : undefined,
    digest,
  };
}

/** The reference as containerd completes it: "docker.io/library/nginx:latest". */
export function fullName(image: string): string {
  const { host, repository, tag, digest } = parseImage(image);
  return `${host}/${repository}${digest === undefined ? `:${tag ?? 'latest'}` : `@${digest}`}`;
}

/** Short names on Docker Hub that people mean when they mistype one. */
export const wellKnownImages: readonly string[] = [
  'alpine',
  'bash',
  'busybox',
  'caddy',
  'cassandra',
  'consul',
  'debian',
  'docker',
  'elasticsearch',
  'fedora',
  'golang',
  'grafana/grafana',
  'haproxy',
  'httpd',
  'influxdb',
  'jenkins/jenkins',
  'kibana',
  'mariadb',
  'memcached',
  'mongo',
  'mysql',
  'nats',
  'nginx',
  'node',
  'openjdk',
  'php',
  'postgres',
  'prom/prometheus',
  'python',
  'rabbitmq',
  'redis',
  'registry',
  'ruby',
  'rust',
  'sonarqube',
  'tomcat',
  'traefik',
  'ubuntu',
  'vault',
  'wordpress',
  'zookeeper',
];
