import type { X509Certificate } from 'node:crypto';

import { readableCertificates, whyUnusable } from './validity.ts';

/** What is looked at: texts as they were found, each with the name that sentences give it. */
export type Subject = {
  /** The certificate (leaf first) and where it was found. */
  readonly cert: Text;
  readonly key?: Text;
  /** Whoever is to trust it: a ca.crt, or caBundles. */
  readonly trust: readonly Text[];
};

/** A text and the name of the file, key or field that holds it. */
export type Text = { readonly name: string; readonly text: string };

/** What it is held against. */
export type Wanted = { readonly at: Date; readonly withinDays: number; readonly names: readonly string[] };

/** One certificate in words. */
export type Description = {
  readonly in: string;
  readonly subject: string;
  readonly issuer: string;
  readonly names: readonly string[];
  readonly authority: boolean;
  readonly notBefore: string;
  readonly notAfter: string;
  readonly daysLeft: number;
  readonly serialNumber: string;
};

/** Every certificate that could be read, and a sentence for each thing that is wrong; none when all is well. */
export type Inspection = { readonly certificates: readonly Description[]; readonly problems: readonly string[] };

const DAY_MS = 24 * 60 * 60 * 1000;

/** Looks at a certificate, its key and whoever is to trust it. Never throws. */
export function inspect(subject: Subject, wanted: Wanted): Inspection {
  const { cert, key, trust } = subject;
  const read = [cert, ...trust].map(({ name, text }) => ({ name, certificates: readableCertificates(text) }));
  const unreadable = read.filter(({ certificates }) => certificates.length === 0);
  return {
    certificates: read.flatMap(({ name, certificates }) => certificates.map((each) => describe(name, each, wanted.at))),
    problems: [
      ...unreadable.map(({ name }) => `${name} holds no certificate that can be read.`),
      ...(read[0]?.certificates ?? []).flatMap((each) => problemOfDates(cert.name, each, wanted)),
      ...(key === undefined || unreadable.length > 0 ? [] : problemsOfPair(cert, key, { trust, wanted })),
    ],
  };
}

/** Each question by itself, so that one problem does not hide another. */
function problemsOfPair(
  cert: Text,
  key: Text,
  { trust, wanted }: Pick<Subject, 'trust'> & { readonly wanted: Wanted },
): readonly string[] {
  const pair = { cert: cert.text, key: key.text };
  const problem = whyUnusable(pair);
  if (problem !== undefined) return [problem];
  const { at, names } = wanted;
  // Of a certificate that is not valid now it can still be said who signed it.
  const moment = whyUnusable(pair, { at }) === undefined ? { at } : {};
  const forNames = names.map((dnsName) => whyUnusable(pair, { dnsName }));
  const forTrust = trust.map(({ name, text }) =>
    whyUnusable(pair, { ca: text, ...moment }) === undefined
      ? undefined
      : `${cert.name} is not signed by a valid CA in ${name}.`,
  );
  return [...forNames, ...forTrust].filter((sentence) => sentence !== undefined);
}

function problemOfDates(name: string, certificate: X509Certificate, { at, withinDays }: Wanted): readonly string[] {
  const { validFromDate, validToDate } = certificate;
  if (at < validFromDate) return [`${name} is not valid before ${validFromDate.toISOString()}.`];
  if (at > validToDate) return [`${name} has expired on ${validToDate.toISOString()}.`];
  if (validToDate.getTime() - at.getTime() >= withinDays * DAY_MS) return [];
  return [`${name} expires on ${validToDate.toISOString()}, within ${withinDays} days.`];
}

function describe(name: string, certificate: X509Certificate, at: Date): Description {
  const { subject, issuer, subjectAltName = '', ca, validFromDate, validToDate, serialNumber } = certificate;
  return {
    in: name,
    subject: oneLine(subject),
    issuer: oneLine(issuer),
    names: subjectAltName.split(', ').flatMap((part) => /^(?:DNS|IP Address):(.*)$/.exec(part)?.[1] ?? []),
    authority: ca,
    notBefore: validFromDate.toISOString(),
    notAfter: validToDate.toISOString(),
    daysLeft: Math.floor((validToDate.getTime() - at.getTime()) / DAY_MS),
    serialNumber,
  };
}

function oneLine(name: string): string {
  return name.split('\n').join(', ');
}
