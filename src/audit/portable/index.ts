/**
 * A verifier for what CapFence exports, for a browser or anywhere else: it needs nothing of Node.
 *
 * It shares no code with the gate, so that a mistake of the one is not a mistake of both.
 */
export { readPin, type Pin } from './note.ts'
export { verifyProof, type RecordProof } from './proof.ts'
export { verifyLines, type Pieces } from './lines.ts'
export { verifyTiles, type FetchFile } from './tiles.ts'
export { openDisclosures, type OpenedDisclosure } from './disclosures.ts'
export type { LogProof } from './log.ts'
export type { Json, JsonObject, LogRecord } from './record.ts'
export { Refused } from './refused.ts'
