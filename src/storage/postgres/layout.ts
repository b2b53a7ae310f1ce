import { schemaVersion } from '../schema.ts'

/** Grows with every change of `layoutSteps`; the tables of SQLite that are mirrored have a version of their own. */
const layoutVersion = 1

/**
 * The tables that hold the log itself, under the names and columns that they have in SQLite too.
 *
 * Rows are put in and stay; only redaction changes `disclosures`. Everything else that a log has follows from them
 * (`schema.ts`) and stands row by row in `state`, so that a new table needs nothing here.
 */
export const logTables = ['records', 'disclosures', 'checkpoints', 'calls', 'policies'] as const

/** One of them. */
export type LogTable = (typeof logTables)[number]

/**
 * What makes a layout of the one before; in this order, in one transaction, under the lock of the log.
 *
 * @param schema a plain name
 */
export function layoutSteps(schema: string): readonly (readonly string[])[] {
  const at = `"${schema}"`
  return [
    [
      `CREATE TABLE ${at}.version (
  id int PRIMARY KEY CHECK (id = 1),
  layout int NOT NULL,
  tables int NOT NULL
)`,
      `CREATE TABLE ${at}.records (
  seq bigint PRIMARY KEY CHECK (seq >= 0),
  leaf bytea NOT NULL CHECK (length(leaf) = 32),
  body bytea NOT NULL CHECK (length(body) BETWEEN 2 AND 65535)
)`,
      `CREATE TABLE ${at}.disclosures (
  seq bigint PRIMARY KEY,
  encoded text NOT NULL
)`,
      `CREATE TABLE ${at}.checkpoints (
  size bigint PRIMARY KEY,
  note text NOT NULL
)`,
      `CREATE TABLE ${at}.calls (
  call text PRIMARY KEY,
  decision_seq bigint NOT NULL,
  outcome_seq bigint
)`,
      `CREATE TABLE ${at}.policies (
  hash text NOT NULL,
  position int NOT NULL,
  path text NOT NULL,
  bytes bytea NOT NULL,
  PRIMARY KEY (hash, position)
)`,
      // A row of any other table, as JSON, under its primary key; null when it is gone. `changed` counts commits.
      `CREATE TABLE ${at}.state (
  tbl text NOT NULL,
  key text NOT NULL,
  row text,
  changed bigint NOT NULL,
  PRIMARY KEY (tbl, key)
)`,
      `CREATE INDEX state_changed ON ${at}.state (changed)`,
    ],
  ]
}

/** What a database says of itself. */
export interface FoundVersion {
  readonly layout: number
  /** The version of the mirrored tables (`schemaVersion`). */
  readonly tables: number
}

/** What this program writes. */
export const ownVersion: FoundVersion = { layout: layoutVersion, tables: schemaVersion }
