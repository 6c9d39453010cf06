import { createHash } from 'node:crypto';

/** What the gate says of a request, as an HTTP status: 200 lets it in, 503 says that the API server did not answer. */
export type Admittance = 200 | 401 | 403 | 503;

/** Whom a token belongs to, and whether they may: the two questions that a kube-rbac-proxy asks too. */
export interface GateParts<Viewer> {
  /** Undefined for a token of nobody; rejects when nobody answers. */
  readonly authenticate: (token: string, signal: AbortSignal) => Promise<Viewer | undefined>;
  /** Whether a viewer may do `get`, or `head`, on `/metrics`; rejects when nobody answers. */
  readonly authorize: (viewer: Viewer, verb: string, signal: AbortSignal) => Promise<boolean>;
  /** Milliseconds that only grow. */
  readonly clock: () => number;
}

/** Decides who gets in by the Authorization header and the verb. */
export type Gate = (authorization: string | undefined, verb: string) => Promise<Admittance>;

/** How long an answer is believed: a Prometheus that scrapes every 15 s costs two questions a scrape at most. */
const BELIEVED_MS = 10_000;

/** More answers than this are forgotten, oldest first, so that a flood of tokens costs no memory. */
const MOST_ANSWERS = 1_000;

/** What the API server may take for both questions. */
const PATIENCE_MS = 5_000;

/** Makes a gate that remembers answers for a short time, by a hash of the token; what was not answered is asked again. */
export function makeGate<Viewer>({ authenticate, authorize, clock }: GateParts<Viewer>): Gate {
  const known = new Map<string, { readonly until: number; readonly admittance: Promise<Admittance> }>();

  const ask = async (token: string, verb: string): Promise<Admittance> => {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const viewer = await authenticate(token, signal);
      if (viewer === undefined) return 401;
      return (await authorize(viewer, verb, signal)) ? 200 : 403;
    } catch {
      return 503;
    }
  };

  return async (authorization, verb) => {
    const token = /^Bearer +([^ ]+) *$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return 401;
    const key = createHash('sha256').update(`${verb} ${token}`).digest('base64');
    const entry = known.get(key);
    if (entry !== undefined && entry.until > clock()) return entry.admittance;
    known.delete(key);
    const [oldest] = known.keys();
    if (known.size >= MOST_ANSWERS && oldest !== undefined) known.delete(oldest);
    const admittance = ask(token, verb);
    known.set(key, { until: clock() + BELIEVED_MS, admittance });
    if ((await admittance) === 503) known.delete(key);
    return admittance;
  };
}
