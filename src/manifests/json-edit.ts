// A JSON document's text with a draft's changes made, in the spacing and indentation that it has.

import { changesOf } from './collection-changes.ts';
import { isChanged, valueOf, type Draft } from './draft.ts';
import { flowSplices } from './flow-edit.ts';
import { endOfValue, entriesIn, skipSpace } from './json-positions.ts';
import { indentBefore, lineStart, newlineOf, type Splice } from './splice.ts';
import { flowText, type FlowStyle } from './write-flow.ts';

interface JsonText {
  readonly text: string;
  readonly style: FlowStyle;
  /** True when the text is written on several lines. */
  readonly isLong: boolean;
}

/** The splices that make a JSON document's text what the draft of its value says. */
export function jsonSplices(text: string, draft: Draft): Splice[] {
  const body = text.trim();
  const json: JsonText = { text, style: styleOf(text), isLong: body.includes('\n') };
  const splices: Splice[] = [];
  editValue(json, draft, skipSpace(text, 0), splices);
  return splices;
}

function editValue(json: JsonText, draft: Draft, start: number, splices: Splice[]): void {
  const isOpen = draft.members !== undefined || draft.items !== undefined;
  if (!draft.fresh && !isOpen) return;
  const entries = draft.fresh ? [] : entriesIn(json.text, start);
  const changes = entries.length > 0 ? changesOf(draft, entries) : undefined;
  if (changes) {
    for (const [entry, child] of changes.kept) editValue(json, child, entry.valueStart, splices);
    splices.push(...flowSplices(json, entries, changes));
  } else if (isChanged(draft)) {
    const text = flowText(valueOf(draft), json.style, json.isLong ? indentOf(json.text, start) : undefined);
    splices.push({ start, end: endOfValue(json.text, start), text });
  }
}

function indentOf(text: string, offset: number): string {
  const from = lineStart(text, offset);
  const first = text.slice(from, offset).search(/[^ \t]|$/);
  return indentBefore(text, from + first) ?? '';
}

function styleOf(text: string): FlowStyle {
  const unit = /\n([ \t]+)/.exec(text)?.[1] ?? '  ';
  const isLoose = /"[ \t]*:[ \t]/.test(text);
  return { json: true, colon: isLoose ? ': ' : ':', comma: isLoose ? ', ' : ',', newline: newlineOf(text), unit };
}
