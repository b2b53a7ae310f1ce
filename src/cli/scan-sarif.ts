import type { Finding } from '../scan/finding.ts'
import { rules, type Rule } from '../scan/rules.ts'
import { levelOf, type ScanReport } from './scan-report.ts'
import { shown, shownJson } from './shown.ts'

const schema =
  'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** The findings as SARIF 2.1.0, which code hosts show beside the code; those that are ignored stand there as suppressed. */
export function sarifReport({ findings, version }: ScanReport): string {
  const log = {
    $schema: schema,
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'CapFence',
            semanticVersion: version,
            rules: rules.map(ruleEntry),
          },
        },
        columnKind: 'utf16CodeUnits',
        originalUriBaseIds: {
          ROOT: { description: { text: 'The folder that was scanned.' } },
        },
        results: findings.map(resultOf),
      },
    ],
  }
  const lines = JSON.stringify(log, undefined, 2).split('\n')
  return lines.map((line) => `${shownJson(line)}\n`).join('')
}

function ruleEntry({ id, name, level, summary, help, severity }: Rule): object {
  return {
    id,
    name,
    shortDescription: { text: `${summary}.` },
    help: { text: `${help}.` },
    defaultConfiguration: { level },
    properties: { 'security-severity': severity, tags: ['security', 'mcp'] },
  }
}

function resultOf(finding: Finding): object {
  const { rule, message, file, line, column, endLine, endColumn, fingerprint, ignored, isOld } =
    finding
  return {
    ruleId: rule,
    ruleIndex: rules.findIndex(({ id }) => id === rule),
    level: levelOf(finding),
    message: { text: `${shown(message)}.` },
    locations: [
      {
        physicalLocation: {
          artifactLocation: { uri: uriOf(file), uriBaseId: 'ROOT' },
          region: { startLine: line, startColumn: column, endLine, endColumn },
        },
      },
    ],
    partialFingerprints: { 'capfence/v1': fingerprint },
    ...(ignored === undefined
      ? {}
      : {
          suppressions: [{ kind: isOld ? 'external' : 'inSource', justification: shown(ignored) }],
        }),
  }
}

function uriOf(file: string): string {
  return file.split('/').map(encodeURIComponent).join('/')
}
