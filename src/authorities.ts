import tls from 'node:tls';

/** The certificate authorities that Node was built with and, from Node 22.15 on, those that the machine trusts. */
export function trustedAuthorities(which: readonly ('default' | 'system')[]): string[] {
  // Absent from older versions, whatever the types say.
  const list = tls.getCACertificates as typeof tls.getCACertificates | undefined;
  return list === undefined ? [...tls.rootCertificates] : which.flatMap((type) => list(type));
}
