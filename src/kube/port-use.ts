/** What a text has to do with a port: it asks there, or it listens there itself. */
export type PortUse = 'asks' | 'listens';

/** What may follow a port number: nothing, or a character that ends an address or a value. `10255-x` is no port. */
const FOLLOWER = /^[/,;"'`?#&()[\]{}|<>\\$%\s]?$/;

/** What may stand right before a port number. */
const LEADER = /^[:="' \t]$/;

// These look back from a place in a text (sticky, so that nothing but that place is tried): work stays linear.

/** The key that a value belongs to: `port=`, `"port": "`, `--kubelet-port=`. */
const KEY_BEFORE = /(?<=([\w.-]+)(["']?[ \t]*[:=][ \t]*["']?))/y;

/** The flag that a word is the value of: `--kubelet-port `. */
const FLAG_BEFORE = /(?<=(?:^|\s)(--?[\w.-]+)[ \t]+["']?)/y;

/** What an address begins with: `http://node` of `http://node:10255`. */
const HOST_BEFORE = /(?<=([^\s,;"'`|<>&=]{0,100}):)/y;

/** `kubeletPort`, `KUBELET_PORT`, `kubelet-port`; not `report` or `PORTAL`. */
const PORT_KEY = /(?:^|[^A-Za-z])(?:port|Port|PORT)[sS]?$|[a-z0-9]Ports?$/;

/** What a program calls its own ports and addresses: `port` alone, `--listen-address`, `METRICS_PORT`, `webhook-addr`. */
const OWN_KEY =
  /listen|bind|^-{0,2}port$|(?:secure|https?|healthz?|metrics|webhook|telemetry|admin|debug|server|grpc|ui)[^A-Za-z]?(?:ports?|addr(?:ess)?)$/i;

/** A key about kubelets names theirs, whatever else it says. */
const KUBELET_KEY = /kubelet/i;

/** Hosts that stand for every address of the machine itself, and what socat calls listening: `TCP-LISTEN:10255`. */
const OWN_HOST = /^(?:|0\.0\.0\.0|\[::\]|\*|[\w-]+-listen)$/i;

/**
 * What a text has to do with a port: `asks` when it names `host:port` or sets a key that ends in `port` to it, `listens`
 * when the host is every address or the key sounds like the program's own; undefined when the number does not stand
 * there as a port. A kubelet's own flag, read-only-port, counts as neither. Of several uses, asking is the one that counts.
 */
export function portUse(text: string, port: number): PortUse | undefined {
  const digits = String(port);
  let found: PortUse | undefined;
  for (let at = text.indexOf(digits); at >= 0; at = text.indexOf(digits, at + digits.length)) {
    if (!LEADER.test(text.charAt(at - 1)) || !FOLLOWER.test(text.charAt(at + digits.length))) continue;
    const use = useAt(text, at, at + digits.length);
    if (use === 'asks') return use;
    found ??= use;
  }
  return found;
}

/** True when the digits of one of these ports stand in a text, as whatever: where they do not, nothing uses the port. */
export function mentionsOneOf(text: string, ports: readonly number[]): boolean {
  for (const port of ports) if (text.includes(String(port))) return true;
  return false;
}

function useAt(text: string, at: number, end: number): PortUse | undefined {
  const [, key = '', link = ''] = lookBack(KEY_BEFORE, text, at) ?? lookBack(FLAG_BEFORE, text, at) ?? [];
  if (PORT_KEY.test(key)) return useOfKey(key);
  // `orderId=10255` and `"orderId":10255` are values of another kind; only a bare colon makes an address.
  return link.trimStart() === ':' || key === '' ? useOfAddress(text, at, end) : undefined;
}

function useOfKey(key: string): PortUse | undefined {
  const name = key.slice(key.lastIndexOf('.') + 1).replaceAll(/[^A-Za-z]/g, '');
  if (name.toLowerCase() === 'readonlyport') return undefined;
  return isOwnKey(key) ? 'listens' : 'asks';
}

function isOwnKey(key: string): boolean {
  return OWN_KEY.test(key) && !KUBELET_KEY.test(key);
}

function useOfAddress(text: string, at: number, end: number): PortUse | undefined {
  const written = lookBack(HOST_BEFORE, text, at)?.[1];
  if (written === undefined) return undefined;
  const start = at - 1 - written.length;
  const key = (lookBack(KEY_BEFORE, text, start) ?? lookBack(FLAG_BEFORE, text, start))?.[1] ?? '';
  const host = written.slice(written.lastIndexOf('://') < 0 ? 0 : written.lastIndexOf('://') + 3);
  if (!isHost(host, text.charAt(end)) || /image/i.test(key)) return undefined;
  return OWN_HOST.test(host) || isOwnKey(key) ? 'listens' : 'asks';
}

/**
 * False for what only looks like a host: a number (`1000:10255` is a user and a group), and an image's or a file's path
 * (`library/app:10255`) unless more path follows, as in `/api/v1/nodes/node1:10255/proxy`.
 */
function isHost(host: string, next: string): boolean {
  return !/^[0-9]+$/.test(host) && (!host.includes('/') || next === '/');
}

function lookBack(pattern: RegExp, text: string, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(text);
}
