// The two ways into JSON: strict for what a client sends and the gate judges, lax for what a server answers.
export { decodeString } from './decode.ts'
export { JsonError, excerpt } from './json-error.ts'
export type { JsonReason } from './json-error.ts'
export { scanLax, scanLaxPart } from './scan-lax.ts'
export { scanStrict } from './scan-strict.ts'
export { memberOf, spanOf, wanted, wantedUnderAnyName } from './span.ts'
export type { MemberSpan, Span, SpanNode } from './span.ts'
