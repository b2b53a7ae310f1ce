import type Database from 'better-sqlite3'
import type { RecordDraft } from '../audit/record.ts'
import type { RecordedConfiguration, RecordedFacts, RecordedTool } from '../runtime/store.ts'

interface ToolRow {
  readonly tool: string
  readonly sha256: string
  readonly listed: 0 | 1
}

/** What records said last of tools and configurations, in tables that follow from the log alone. */
export class FactTables implements RecordedFacts {
  readonly #tool: Database.Statement<[string, string], ToolRow>
  readonly #listed: Database.Statement<[string, string, number], ToolRow>
  readonly #list: Database.Statement<[object]>
  readonly #unlist: Database.Statement<[object]>
  readonly #configuration: Database.Statement<[string], RecordedConfiguration>
  readonly #configure: Database.Statement<[object]>

  constructor(db: Database.Database) {
    this.#tool = db.prepare(
      'SELECT tool, sha256, listed FROM tool_definitions WHERE server = ? AND tool = ?',
    )
    this.#listed = db.prepare(
      `SELECT tool, sha256, listed FROM tool_definitions
       WHERE server = ? AND tool > ? AND listed = 1 ORDER BY tool LIMIT ?`,
    )
    this.#list = db.prepare(
      `INSERT INTO tool_definitions (server, tool, sha256, listed) VALUES ($server, $tool, $sha256, 1)
       ON CONFLICT DO UPDATE SET sha256 = excluded.sha256, listed = 1`,
    )
    this.#unlist = db.prepare(
      'UPDATE tool_definitions SET listed = 0 WHERE server = $server AND tool = $tool',
    )
    this.#configuration = db.prepare('SELECT sha256 FROM configurations WHERE path = ?')
    this.#configure = db.prepare(
      `INSERT INTO configurations (path, sha256) VALUES ($path, $sha256)
       ON CONFLICT DO UPDATE SET sha256 = excluded.sha256`,
    )
  }

  toolDefinition(server: string, tool: string): RecordedTool | undefined {
    const row = this.#tool.get(server, tool)
    return row && recordedTool(row)
  }

  listedTools(server: string, after: string, count: number): readonly RecordedTool[] {
    return this.#listed.all(server, after, count).map(recordedTool)
  }

  configuration(path: string): RecordedConfiguration | undefined {
    return this.#configuration.get(path)
  }

  /** Takes in a record that has just been stored; inside its transaction. */
  note({ type, data }: RecordDraft): void {
    if (type === 'tool.def') {
      const { server, tool, sha256 } = data
      if (sha256 === null) this.#unlist.run({ server, tool })
      else this.#list.run({ server, tool, sha256 })
    }
    if (type === 'config.change') {
      const { path, sha256 } = data
      this.#configure.run({ path, sha256 })
    }
  }
}

function recordedTool({ tool, sha256, listed }: ToolRow): RecordedTool {
  return { tool, sha256, isListed: listed === 1 }
}
