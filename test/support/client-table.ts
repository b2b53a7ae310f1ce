import type { Client } from '../../src/clients/table.ts'

/** The clients as docs/clients.md lists them. */
export function clientTable(clients: readonly Client[]): string {
  const rows = clients.map(({ id, name, files, maxToolName, lastChecked }) => [
    name,
    `\`${id}\``,
    [...new Set(files.map(({ scope }) => scope))].join(', '),
    maxToolName === undefined ? '' : String(maxToolName),
    lastChecked,
  ])
  const all = [['client', 'name for `wrap`', 'files', 'longest tool name', 'checked'], ...rows]
  const widths = all[0]?.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths?.[column] ?? 0)).join(' | ')} |`
  const rule = `| ${widths?.map((width) => '-'.repeat(width)).join(' | ') ?? ''} |`
  return `${[line(all[0] ?? []), rule, ...rows.map(line)].join('\n')}\n`
}
