// YAML and JSON as Kubernetes reads them: a stream to its objects, each with the way back to its place in the text.

import { isObject, type JsonObject } from '../kube/json.ts';
import { keepLast } from '../kube/keep-last.ts';
import { escapeToken, tokensOf, type JsonPointer } from '../kube/pointer.ts';
import type { Chunk } from './chunk.ts';
import type { DecodedDocument, Locate, Unit } from './decoded-document.ts';
import { flattenList, type Part } from './flatten-list.ts';
import { decodeJson } from './json-document.ts';
import { createLineIndex, type Position } from './lines.ts';
import { Unreadable, type Remark } from './unreadable.ts';
import { decodeYaml } from './yaml-document.ts';
import { splitDocuments } from './yaml-split.ts';

/** Something in a file that a person should know, or that kept us from reading it. */
export interface Problem {
  readonly file: string;
  readonly line?: number;
  readonly message: string;
}

/** The text that a document was read from; the objects of one document share it. */
export interface DocumentSource {
  readonly format: 'yaml' | 'json';
  /** The text without the marker lines around it, and where it begins in the stream. */
  readonly text: string;
  readonly start: number;
}

/** An object as it stands in a file. */
export interface Manifest {
  readonly object: JsonObject;
  /** The file as the caller named it. */
  readonly file: string;
  /** Which document of the file, counted from 0 without the empty ones. */
  readonly document: number;
  /** Where in the document: '' or, in a list, '/items/0'. */
  readonly prefix: JsonPointer;
  readonly source: DocumentSource;
  /** The text to edit when the object is to change, and the tokens that lead to the object in it. */
  readonly unit: Unit;
  /** The place of what a pointer into the object names, or of its nearest ancestor: a key, or a list's item. Never throws. */
  readonly locate: (pointer: JsonPointer) => Position;
}

/** All that a stream holds. */
export interface Reading {
  readonly manifests: readonly Manifest[];
  /** Documents that could not be read. */
  readonly errors: readonly Problem[];
  readonly warnings: readonly Problem[];
}

interface Stream {
  readonly file: string;
  readonly positionOf: (offset: number) => Position;
  readonly manifests: Manifest[];
  readonly errors: Problem[];
  readonly warnings: Problem[];
  documents: number;
}

const BYTE_ORDER_MARK = /^\uFEFF/;
/** libyaml breaks lines at them, too; in JSON they are text. */
const ODD_LINE_BREAK = /\r(?!\n)|\u0085/g;
const JSON_START = /^\s*[{[]/;
const HELM = /^[ \t]*(?:- )*\{\{|: *\{\{/m;

const locators = keepLast<Locate>();

/**
 * Reads the documents of a stream as sigs.k8s.io/yaml does (what kubectl and helm read with), lists flattened.
 * Never throws: what cannot be read is an error, and the other documents still come through. Empty documents are passed
 * over; a document that is a list is passed over with a warning (such as a kustomize patch), one that is a scalar is an
 * error.
 */
export function readManifests(file: string, stream: string): Reading {
  const { raw, text } = normalized(stream);
  const reading: Stream = {
    file,
    positionOf: createLineIndex(text),
    manifests: [],
    errors: [],
    warnings: [],
    documents: 0,
  };
  for (const chunk of splitDocuments(text)) {
    try {
      for (const document of decodeChunk(chunk, raw)) addDocument(reading, document);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      addUnreadable(reading, chunk, error);
    }
  }
  const { manifests, errors, warnings } = reading;
  return { manifests, errors, warnings };
}

/** A stream without its byte order mark, and with the line breaks that every reader knows: character by character the same. */
export function normalized(stream: string): { raw: string; text: string } {
  const raw = stream.replace(BYTE_ORDER_MARK, '');
  return { raw, text: raw.replace(ODD_LINE_BREAK, '\n') };
}

function decodeChunk(chunk: Chunk, raw: string): readonly DecodedDocument[] {
  if (JSON_START.test(chunk.text)) {
    const documents = decodeJson({ text: raw.slice(chunk.start, chunk.start + chunk.text.length), start: chunk.start });
    if (documents.length > 0) return documents;
  }
  return [decodeYaml(chunk)];
}

function addDocument(reading: Stream, document: DecodedDocument): void {
  const { chunk, value } = document;
  for (const remark of document.remarks) addRemark(reading, chunk.start, remark);
  if (value === null) return;
  const index = reading.documents;
  reading.documents += 1;
  if (isObject(value)) {
    const source: DocumentSource = { format: document.format, text: chunk.text, start: chunk.start };
    for (const part of flattenList(value)) {
      reading.manifests.push(createManifest(reading, { document, index, source, part }));
    }
    return;
  }
  const { line } = reading.positionOf(document.locatorOf([])([]));
  const what = Array.isArray(value) ? 'list' : typeof value;
  const problem = { file: reading.file, line, message: `the document is a ${what}, not a Kubernetes object` };
  (Array.isArray(value) ? reading.warnings : reading.errors).push(problem);
}

interface Found {
  readonly document: DecodedDocument;
  readonly index: number;
  readonly source: DocumentSource;
  readonly part: Part;
}

function createManifest(reading: Stream, { document, index, source, part }: Found): Manifest {
  const manifest: Manifest = {
    object: part.object,
    file: reading.file,
    document: index,
    prefix: part.tokens.map((token) => `/${escapeToken(token)}`).join(''),
    source,
    unit: document.unitOf(part.tokens),
    locate: (pointer) => {
      const locate = locators([manifest], () => document.locatorOf(part.tokens));
      return reading.positionOf(locate(tokensOf(pointer)));
    },
  };
  return manifest;
}

function addRemark(reading: Stream, start: number, remark: Remark): void {
  const { line } = reading.positionOf(start + remark.offset);
  const { line: earlier } = reading.positionOf(start + (remark.earlier ?? remark.offset));
  const suffix = remark.earlier === undefined ? '' : ` (first in line ${earlier})`;
  reading.warnings.push({ file: reading.file, line, message: `${remark.message}${suffix}` });
}

function addUnreadable(reading: Stream, chunk: Chunk, error: Unreadable): void {
  const braces = chunk.text.search(HELM);
  const { line } = reading.positionOf(chunk.start + error.offset);
  reading.documents += 1;
  if (braces < 0) reading.errors.push({ file: reading.file, line, message: error.message });
  else {
    const message =
      'this looks like an unrendered Helm template ({{ ... }}): render it first, for example with "helm template"';
    const start = chunk.text.indexOf('{{', braces);
    reading.errors.push({ file: reading.file, line: reading.positionOf(chunk.start + start).line, message });
  }
}
