import { describe, expect, test } from 'vitest'
import { call, decide, policy } from './support.ts'

describe('context (POLICY.md 6)', () => {
  const context = {
    server: 'files',
    tool: 'Delete_File',
    role: 'Admin',
    tenant: 'acme',
    session: 's-1',
    client: 'claude',
  }
  const fields: readonly (readonly [string, string])[] = [
    ['actor', 'agent-1'],
    ['environment', 'staging'],
    ['server', 'files'],
    ['tool', 'Delete_File'],
    ['tool_name', 'Delete_File'],
    ['role', 'Admin'],
    ['user_role', 'Admin'],
    ['tenant', 'acme'],
    ['session', 's-1'],
    ['risk_level', 'low'],
  ]

  test.each(fields)('%s: %s is what the proxy knows', (key, value) => {
    const other = key === 'risk_level' ? 'high' : 'other'
    for (const [written, holds] of [
      [value, true],
      [other, false],
      [`[${other}, ${value}]`, true],
    ] as const) {
      const grant = `allow: [{capability: x, ${key}: ${written}}]`
      expect(decide(grant, { context })).toBe(holds ? 'allow' : 'deny')
      const guard = `deny: [{capability: x, ${key}: ${written}}]\nallow: [x]`
      expect(decide(guard, { context })).toBe(holds ? 'deny' : 'allow')
    }
  })

  test.each(fields.filter(([key]) => key !== 'risk_level' && key !== 'environment'))(
    '%s of the arguments is only an argument',
    (key, value) => {
      const args = { arguments: JSON.stringify({ [key]: value }), actor: 'somebody' }
      expect(decide(`allow: [{capability: x, ${key}: ${value}}]`, args)).toBe('deny')
    },
  )

  test.each(fields.filter(([key]) => key !== 'actor'))(
    'where %s is not known, a guard applies and a grant does not',
    (key, value) => {
      const unknown = { environment: undefined, risk: undefined }
      expect(decide(`deny: [{capability: x, ${key}: ${value}}]\nallow: [x]`, unknown)).toBe('deny')
      expect(decide(`allow: [{capability: x, ${key}: ${value}}]`, unknown)).toBe('deny')
    },
  )

  test('guards ignore case and spelling, grants are exact', () => {
    for (const tool of [
      'delete_file',
      'DELETE_FILE',
      'ｄelete_file',
      ' Delete_File ',
      'dele\u200bte_file',
    ]) {
      const given = { context: { tool } }
      expect(decide('deny: [{capability: x, tool: Delete_File}]\nallow: [x]', given)).toBe('deny')
      expect(decide('allow: [{capability: x, tool: Delete_File}]', given)).toBe('deny')
    }
    expect(decide('deny: [{capability: x, tool: "*_FILE"}]\nallow: [x]', { context })).toBe('deny')
    expect(decide('allow: [{capability: x, tool: "Delete_*"}]', { context })).toBe('allow')
    expect(decide('allow: [{capability: x, tool: "delete_*"}]', { context })).toBe('deny')
  })

  test('a name that cannot be folded is not known to be another one', () => {
    const tool = `x${'\u0301'.repeat(70)}`
    expect(decide('deny: [{capability: x, tool: y}]\nallow: [x]', { context: { tool } })).toBe(
      'deny',
    )
  })
})

describe('capabilities (POLICY.md 5)', () => {
  test.each<[string, string, boolean]>([
    ['*', 'fs.read.ws', true],
    ['fs', 'fs.read.ws', true],
    ['fs.read', 'fs.read.ws', true],
    ['fs.read.ws', 'fs.read.ws', true],
    ['fs.read.ws', 'fs.read.ws2', false],
    ['fs.read.ws', 'fs.read.ws.eu', false],
    ['fs.read.ws.*', 'fs.read.ws.eu', true],
    ['fs.read.*.eu', 'fs.read.ws.eu', true],
    ['fs.*.ws', 'fs.read.ws', true],
    ['*.read', 'fs.read.ws', true],
    ['*.ws', 'fs.read.ws', false],
    ['*.*.ws', 'fs.read.ws', true],
    ['f*', 'fs.read.ws', true],
    ['f*', 'gfs.read.ws', false],
    ['*s', 'fs.read.ws', true],
    ['fs.r*d', 'fs.read.ws', true],
    ['fs.r*d', 'fs.rd.ws', true],
    ['fs.r*d*d', 'fs.rd.ws', false],
    ['fs.**', 'fs.read.ws', true],
    ['read', 'fs.read.ws', false],
  ])('%s and %s: %s', (pattern, capability, fits) => {
    expect(decide(`allow: ["${pattern}"]`, { capability })).toBe(fits ? 'allow' : 'deny')
    expect(decide(`deny: ["${pattern}"]\nallow: ["*"]`, { capability })).toBe(
      fits ? 'deny' : 'allow',
    )
  })

  test.each<[string, string]>([
    ['fs.Read.ws', 'fs.read.ws'],
    ['fs.read.ws', 'FS.read.ws'],
    ['F*.read', 'fs.read.ws'],
    ['f*.read', 'FS.read.ws'],
    ['*.*.WS', 'fs.read.ws'],
    ['*.*.w*', 'fs.read.WS'],
  ])('a guard of %s applies to %s, a grant does not', (pattern, capability) => {
    expect(decide(`deny: ["${pattern}"]\nallow: ["*"]`, { capability })).toBe('deny')
    expect(decide(`allow: ["${pattern}"]`, { capability })).toBe('deny')
  })

  test('a scope with dots is one name, not the names of another capability', () => {
    expect(decide('deny: [a.b.c]\nallow: ["*"]', { capability: 'a.b.c.d' })).toBe('allow')
    expect(decide('allow: ["*.*.d"]', { capability: 'a.b.c.d' })).toBe('deny')
  })
})

describe('tiers (POLICY.md 1)', () => {
  const all = 'deny: [x.y]\nrequire_approval: [x]\nallow: ["*"]\n'

  test.each<[string, string, 'low' | 'high' | undefined, string, string]>([
    ['deny over everything', all, 'low', 'deny', 'rule'],
    ['approval over allow', 'require_approval: [x]\nallow: [x]', 'low', 'require_approval', 'rule'],
    ['approval without allow', 'require_approval: [x]', 'low', 'require_approval', 'rule'],
    ['allow', 'allow: [x]', 'low', 'allow', 'rule'],
    ['nothing', 'deny: [y]\nallow: [z]', 'low', 'deny', 'default'],
    ['risk that denies', 'allow: [x]\nrisk_levels: {high: {action: deny}}', 'high', 'deny', 'risk'],
    [
      'risk that blocks',
      'allow: [x]\nrisk_levels: {high: {action: block}}',
      'high',
      'deny',
      'risk',
    ],
    [
      'risk that denies what waits',
      'require_approval: [x]\nrisk_levels: {high: {action: deny}}',
      'high',
      'deny',
      'risk',
    ],
    [
      'risk that holds',
      'allow: [x]\nrisk_levels: {high: {action: require_approval}}',
      'high',
      'require_approval',
      'risk',
    ],
    [
      'risk that holds what nobody allows',
      'allow: [y]\nrisk_levels: {high: {action: require_approval}}',
      'high',
      'deny',
      'default',
    ],
    ['risk that warns', 'allow: [x]\nrisk_levels: {high: {action: warn}}', 'high', 'allow', 'rule'],
    [
      'risk that allows',
      'allow: [y]\nrisk_levels: {high: {action: allow}}',
      'high',
      'deny',
      'default',
    ],
    [
      'risk of another level',
      'allow: [x]\nrisk_levels: {high: {action: deny}}',
      'low',
      'allow',
      'rule',
    ],
    [
      'risk that nobody stated',
      'allow: [x]\nrisk_levels: {high: {action: deny}, low: {action: warn}}',
      undefined,
      'deny',
      'risk',
    ],
  ])('%s', (_, text, risk, decision, reason) => {
    expect(policy(text).decide(call({ risk }))).toMatchObject({ decision, reason })
  })

  test('of two files the stricter risk action stands, in either order', () => {
    const [strict, mild] = [
      'risk_levels: {high: {action: deny}}',
      'allow: [x]\nrisk_levels: {high: {action: warn}}',
    ]
    expect(policy(strict, mild).decide(call({ risk: 'high' })).decision).toBe('deny')
    expect(policy(mild, strict).decide(call({ risk: 'high' })).decision).toBe('deny')
  })
})
