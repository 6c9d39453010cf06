// Listening addresses as Go programs take them: `host:port`, `[v6]:port`, a bare host, `:port`.

/** Hosts that only the machine itself, or the pod, reaches. */
const LOOPBACK = /^(?:127(?:\.[0-9]{1,3}){3}|localhost|::1|(?:0{1,4}:){7}0{0,3}1|::ffff:127(?:\.[0-9]{1,3}){3})$/i;

/**
 * The host of an address: '' for `:8080`, which is every address of the machine. A bare IPv6 address is a host, and so is
 * anything without a port; brackets are taken off.
 */
export function hostIn(address: string): string {
  const bracketed = /^\[([^\]]*)\]/.exec(address);
  if (bracketed !== null) return bracketed[1] ?? '';
  const colon = address.indexOf(':');
  return colon < 0 || colon !== address.lastIndexOf(':') ? address : address.slice(0, colon);
}

/** True when an address can be reached from loopback only: 127.0.0.0/8, ::1 or localhost, with or without a port. */
export function isLoopback(address: string): boolean {
  return LOOPBACK.test(hostIn(address));
}

/** A scheme of a URL on which etcd listens. */
type Scheme = 'http' | 'https';

/** True when a comma-separated list of URLs has one of a scheme. */
export function hasUrl(list: string, scheme: Scheme): boolean {
  return addressesIn(list, scheme).length > 0;
}

/** True when a comma-separated list of URLs has one of a scheme that can be reached from elsewhere than loopback. */
export function hasOpenUrl(list: string, scheme: Scheme): boolean {
  return addressesIn(list, scheme).some((address) => !isLoopback(address));
}

function addressesIn(list: string, scheme: Scheme): string[] {
  return list.split(',').flatMap((url) => {
    const match = /^([a-z]+):\/\/([^/]*)/i.exec(url.trim());
    return match?.[1]?.toLowerCase() === scheme ? [match[2] ?? ''] : [];
  });
}
