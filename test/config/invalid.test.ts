import { describe, expect, test } from 'vitest'
import { limits } from '../../src/limits.ts'
import { load, problems, withBlock, withKey, withServer } from './load.ts'

describe('B25: nothing that is misspelt, missing, repeated or of the wrong kind is skipped over', () => {
  const cases: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
    ['not JSON', '{"environment" "dev"}', '1:16: expected `:` after `environment`, found `"`'],
    ['not an object', '[]', '1:1: the file must hold one object -- start with `{"mcpServers": …}`'],
    [
      'an empty object misses three things',
      '{}',
      '1:1: `environment` is missing -- say where these servers act, such as `"environment": "development"`; rules can ask for it',
      '1:1: `mcpServers` is missing -- paste the block that your client has: `"mcpServers": {"files": {"command": …}}`',
      '1:1: `policies` is missing -- name at least one policy file: `"policies": ["policies/ops.yaml"]`',
    ],
    [
      'a misspelt key is not also missing',
      '{"enviroment": "dev", "policies": ["p"], "mcpServers": {}}',
      '1:2: unknown key `enviroment` -- did you mean `environment`?',
    ],
    [
      'a key of another case',
      withKey('"Mode": "enforce"'),
      '2:1: unknown key `Mode` -- did you mean `mode`?',
    ],
    [
      'a key that is like none',
      withKey('"zzzzzzzz": 1'),
      '2:1: unknown key `zzzzzzzz` -- known here: $schema, mcpServers, policies, actor, environment, mode, storage, approvals, audit, serve, limits, unknownMethods, lock',
    ],
    [
      'a repeated key',
      withKey('"environment": "prod"'),
      '2:1: `environment` is written twice -- keep one of them; a reader that takes the last would see another file than you do',
    ],
    [
      'the disk of another machine',
      withServer('{"url": "https://example.com", "capfence": {"sharesDisk": true}}'),
      '2:54: `mcpServers.files` has `sharesDisk` beside `url` -- only a server that is started here is known to open the paths of this disk',
    ],
    [
      'a repeated server',
      withServer('{"command": "node"},\n"files": {"command": "sh"}'),
      '3:1: `files` is written twice -- keep one of them; a reader that takes the last would see another file than you do',
    ],
    [
      "VS Code's key",
      withKey('"servers": {}'),
      '2:1: unknown key `servers` -- it is called `mcpServers` here',
    ],
    [
      'a later version',
      withKey('"telemetry": {}'),
      '2:1: unknown key `telemetry` -- known here: $schema, mcpServers, policies, actor, environment, mode, storage, approvals, audit, serve, limits, unknownMethods, lock',
    ],
    [
      'a misspelt mode',
      withKey('"mode": "obsreve"'),
      '2:9: `mode` must be `enforce` or `observe`, found `obsreve` -- did you mean `observe`?',
    ],
    [
      'a mode of another kind',
      withKey('"mode": true'),
      '2:9: `mode` must be `enforce` or `observe`, found `true`',
    ],
    [
      'null is not left out',
      withKey('"actor": null'),
      '2:10: `actor` must be a text, found `null`',
    ],
    ['an empty actor', withKey('"actor": ""'), '2:10: `actor` is empty'],
    [
      'an actor that hides something',
      withKey('"actor": "ops\u202Etnega"'),
      '2:10: `actor` holds characters that do not show',
    ],
    [
      'policies that are not a list',
      '{"environment": "d", "mcpServers": {}, "policies": "p"}',
      '1:52: `policies` must be a list, found a text -- put it in square brackets',
    ],
    [
      'no policy',
      '{"environment": "d", "mcpServers": {}, "policies": []}',
      '1:52: `policies` is empty',
    ],
    [
      'an environment that is not a name',
      '{"environment": "my laptop", "mcpServers": {}, "policies": ["p"]}',
      '1:17: `environment` must be a name of letters, digits, `_` and `-`, found `my laptop`',
    ],
    [
      'PostgreSQL, whose address is not repeated',
      withKey('"storage": "postgres://u:secret@h/db"'),
      '2:12: `storage` holds a password -- write `postgres://USER@HOST/DATABASE`; the password comes from `PGPASSWORD`, or from a file: `?passwordfile=PATH`',
    ],
    [
      'another database',
      withKey('"storage": "mysql://u:secret@h/db"'),
      '2:12: `storage` must be `sqlite:` and a path, or the address of a PostgreSQL database -- write `sqlite:` and a path, such as `sqlite:.capfence/capfence.db`, or `postgres://USER@HOST/DATABASE`',
    ],
    [
      'a log in memory',
      withKey('"storage": "sqlite::memory:"'),
      '2:12: `storage` is in memory, where no record survives -- write `sqlite:` and a path, such as `sqlite:.capfence/capfence.db`, or `postgres://USER@HOST/DATABASE`',
    ],
    [
      'a misspelt key further down',
      withKey('"audit": {"durabilty": "process"}'),
      '2:11: unknown key `durabilty` in `audit` -- did you mean `durability`?',
    ],
    [
      'an anchor that is neither a command nor a witness',
      withKey('"audit": {"anchors": [{"name": "x"}]}'),
      '2:23: `audit.anchors[0]` must be a command or a witness -- `{"exec": ["git", "…"]}` or `{"witness": "https://…", "vkey": "…"}`',
    ],
    [
      'an anchor that is both',
      withKey('"audit": {"anchors": [{"exec": ["x"], "witness": "https://w.example"}]}'),
      '2:23: `audit.anchors[0]` must be a command or a witness -- `{"exec": ["git", "…"]}` or `{"witness": "https://…", "vkey": "…"}`',
    ],
    [
      'an anchor that would need a shell',
      withKey('"audit": {"anchors": [{"exec": "git commit"}]}'),
      '2:32: `audit.anchors[0].exec` must be a list, found a text -- put it in square brackets',
    ],
    [
      'a witness without its key',
      withKey('"audit": {"anchors": [{"witness": "https://w.example"}]}'),
      '2:23: `audit.anchors[0].vkey` is missing -- it is what `capfence witness` prints as its key',
    ],
    [
      'a witness with a password',
      withKey(
        `"audit": {"anchors": [{"witness": "https://me:secret@w.example", "vkey": "w+00000000+${'A'.repeat(44)}"}]}`,
      ),
      '2:35: `audit.anchors[0].witness` must be the URL of a witness, without user, query and fragment -- such as `https://witness.example.org/`',
    ],
    [
      'a key that is none',
      withKey('"audit": {"anchors": [{"witness": "https://w.example", "vkey": "w+0+A"}]}'),
      '2:64: `audit.anchors[0].vkey` must be a key as C2SP writes it: `NAME+ID+KEY` -- it is what `capfence witness` prints as its key',
    ],
    [
      'two anchors of one name',
      withKey('"audit": {"anchors": [{"exec": ["git", "a"]}, {"exec": ["git", "b"]}]}'),
      '2:22: two anchors in `audit.anchors` are called `git` -- give one of them a `name`; records and messages say which one it was',
    ],
    [
      'an anchor that is never done',
      withKey('"audit": {"anchors": [{"exec": ["x"], "everyMinutes": 0}]}'),
      '2:55: `audit.anchors[0].everyMinutes` must be a whole number from 1 to 10080, found `0`',
    ],
    [
      'a bound that is no bound',
      withKey('"limits": {"maxRequestsInFlight": 10001}'),
      '2:35: `limits.maxRequestsInFlight` must be a whole number from 1 to 10000, found `10001`',
    ],
    [
      'a broken number',
      withKey('"approvals": {"timeoutSeconds": 1.5}'),
      '2:33: `approvals.timeoutSeconds` must be a whole number from 1 to 604800, found `1.5`',
    ],
    [
      'a token as it is',
      withKey('"serve": {"token": "secret"}'),
      '2:11: unknown key `token` in `serve` -- only digests stand here: `capfence serve token` makes a token and prints what to write',
    ],
    [
      'a token where its digest belongs',
      withKey('"serve": {"tokens": [{"sha256": "capfence_x"}]}'),
      '2:33: `serve.tokens[0].sha256` must be 64 lower-case hex digits -- `capfence serve token` makes a token and prints what to write',
    ],
    [
      'a name with a path',
      withKey('"serve": {"hosts": ["gate.example.com/mcp"]}'),
      '2:21: `serve.hosts[0]` must be a name as clients write it, in small letters, with the port where it is not the usual one -- such as `gate.example.com` or `gate.example.com:8931`',
    ],
    [
      'any page at all',
      withKey('"serve": {"origins": ["*"]}'),
      '2:23: `serve.origins[0]` must be the origin of a page: scheme, name and port, and nothing after it -- such as `http://localhost:6274`',
    ],
    [
      'an address that is a name',
      withKey('"serve": {"host": "gate.example.com"}'),
      '2:19: `serve.host` must be an address of this machine -- such as `127.0.0.1`, `::1` or `0.0.0.0`',
    ],
    [
      'a fingerprint that is none',
      withKey('"approvals": {"approvers": "a", "approversSha256": "0"}'),
      '2:52: `approvals.approversSha256` must be 64 lower-case hex digits -- `capfence keys approver list` prints the fingerprint of the list',
    ],
    [
      'a fingerprint of nothing',
      withKey(`"approvals": {"approversSha256": "${'0'.repeat(64)}"}`),
      '2:14: `approvals.approvers` is missing, so that there is nothing to pin -- name the list: `"approvers": "approvers.json"`',
    ],
    [
      'a number that a double would round',
      withKey('"approvals": {"timeoutSeconds": 1.0000000000000000001}'),
      '2:33: `approvals.timeoutSeconds` must be a whole number from 1 to 604800, found `1.0000000000000000001`',
    ],
    [
      'neither command nor url',
      withServer('{"args": []}'),
      '2:10: `mcpServers.files` has neither `command` nor `url` -- a server is started by `command` or reached at `url`',
    ],
    [
      'both command and url',
      withServer('{"command": "node", "url": "https://x"}'),
      '2:10: `mcpServers.files` has both `command` and `url` -- a server is started by `command` or reached at `url`',
    ],
    [
      "another client's name for url",
      withServer('{"serverUrl": "https://x"}'),
      '2:10: `mcpServers.files` has neither `command` nor `url` -- a server is started by `command` or reached at `url`',
      '2:11: unknown key `serverUrl` in `mcpServers.files` -- it is called `url` here',
    ],
    [
      'args with a url',
      withServer('{"url": "https://x", "args": ["y"]}'),
      '2:31: `args` does not go with `url` in `mcpServers.files`',
    ],
    [
      'a type that contradicts',
      withServer('{"command": "node", "type": "http"}'),
      '2:38: `mcpServers.files.type` is `http`, but the server has `command`',
    ],
    [
      'a command that is a list',
      withServer('{"command": ["node", "x"]}'),
      '2:22: `mcpServers.files.command` must be a text, found a list',
    ],
    [
      'a number among arguments',
      withServer('{"command": "node", "args": ["--port", 80]}'),
      '2:49: `mcpServers.files.args[1]` must be a text, found a number -- write `"80"`',
    ],
    [
      'a number in env',
      withServer('{"command": "node", "env": {"PORT": 80}}'),
      '2:46: `mcpServers.files.env.PORT` must be a text, found a number -- write `"80"`',
    ],
    [
      'a variable of its own',
      withServer('{"command": "node", "env": {"CAPFENCE_KEY": "x"}}'),
      "2:38: `CAPFENCE_KEY` is not a variable's name that a server can be given",
    ],
    [
      'an argument cut short by a zero character',
      withServer(String.raw`{"command": "node", "args": ["a\u0000b"]}`),
      '2:39: `mcpServers.files.args[0]` holds a zero character',
    ],
    [
      'a header that brings another along',
      withServer(String.raw`{"url": "https://x", "headers": {"A": "b\r\nC: d"}}`),
      '2:48: `mcpServers.files.headers.A` holds a character that cannot stand there',
    ],
    [
      'a password in the url, which is not repeated',
      withServer('{"url": "https://u:secret@example.com"}'),
      '2:18: `mcpServers.files.url` must be an https address, or an http address of this machine, without a user name -- a password or token belongs into `headers`: `"Authorization": "Bearer ${TOKEN}"`',
    ],
    [
      'a name that hides something',
      '{"environment": "d", "policies": ["p"], "mcpServers": {"fi\u200bles": {"command": "x"}}}',
      '1:56: `mcpServers: a name` holds characters that do not show',
    ],
    [
      'a misspelt key of the binding',
      withBlock('{"tool": {}}'),
      '2:43: unknown key `tool` in `mcpServers.files.capfence` -- did you mean `tools`?',
    ],
    [
      'a binding that is only a text',
      withBlock('{"tools": {"rm": "filesystem.delete.workspace"}}'),
      '2:59: `mcpServers.files.capfence.tools.rm` must be an object, found a text -- write `{"capability": "filesystem.delete.workspace"}`',
    ],
    [
      'a capability of the protocol itself',
      withBlock('{"tools": {"rm": {"capability": "MCP.resource.read"}}}'),
      "2:74: `mcpServers.files.capfence.tools.rm.capability` begins with `mcp`, which stands for the protocol's own methods",
    ],
    [
      'a server named like the protocol',
      withServer('{"command": "x"}, "mcp": {"command": "x"}'),
      "2:35: `mcp` as a server's name stands for the protocol's own methods -- give it another name, or a `resource` under `capfence`",
    ],
    [
      'a pattern as capability',
      withBlock('{"tools": {"rm": {"capability": "filesystem.*.x"}}}'),
      '2:74: `mcpServers.files.capfence.tools.rm.capability` must be names with dots between them, found `filesystem.*.x` -- names are letters, digits, `_` and `-`; patterns stand in policies only',
    ],
    [
      'an empty name in a capability',
      withBlock('{"tools": {"rm": {"capability": "filesystem..x"}}}'),
      '2:74: `mcpServers.files.capfence.tools.rm.capability` must be names with dots between them, found `filesystem..x` -- names are letters, digits, `_` and `-`; patterns stand in policies only',
    ],
    [
      'a misspelt risk',
      withBlock('{"tools": {"rm": {"risk": "hihg"}}}'),
      '2:68: `mcpServers.files.capfence.tools.rm.risk` must be `low`, `medium`, `high` or `critical`, found `hihg` -- did you mean `high`?',
    ],
    [
      'an argument without its slash',
      withBlock('{"tools": {"pay": {"arguments": {"amount": "total"}}}}'),
      '2:85: `mcpServers.files.capfence.tools.pay.arguments.amount` must be a JSON Pointer, found `total` -- write `/total` for the argument `total`, `/payment/total` for one inside `payment`',
    ],
    [
      'a pointer with a bare tilde',
      withBlock('{"tools": {"pay": {"arguments": {"path": ["/a", "/~x"]}}}}'),
      '2:90: `mcpServers.files.capfence.tools.pay.arguments.path[1]` must be a JSON Pointer, found `/~x` -- `~` is written `~0`, and `/` inside a name `~1`',
    ],
    [
      'a prefix that models refuse',
      withBlock('{"prefix": "fs/"}'),
      '2:53: `mcpServers.files.capfence.prefix` must be 1 to 32 letters, digits, `_` or `-`, found `fs/` -- models refuse tool names with other characters',
    ],
  ]
  test.each(cases)('%s', (_, text, ...expected) => {
    expect(problems(text)).toEqual(expected)
  })

  test('all problems come at once, in the order of the file', () => {
    const text = withKey('"mode": "on",\n"actor": "",\n"audit": {"mode": "all"}')
    expect(problems(text).map((line) => line.split(':')[0])).toEqual(['2', '3', '4'])
  })

  test('the error has the code, every line, and the first hint', () => {
    try {
      load(withKey('"actor": "", "Mode": "enforce"'))
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({
        name: 'CapFenceError',
        code: 'CONFIG_INVALID',
        message:
          'home/capfence.mcp.json:2:10: `actor` is empty\nhome/capfence.mcp.json:2:14: unknown key `Mode`',
        hint: 'did you mean `mode`?',
      })
    }
  })

  test('a file over its bound is refused, not read in part', () => {
    const base = withServer('{"command": "node"}')
    const padded = (bytes: number): string => base + ' '.repeat(bytes - Buffer.byteLength(base))
    expect(problems(padded(limits.maxConfigBytes))).toEqual([])
    expect(problems(padded(limits.maxConfigBytes + 1))).toEqual([
      '1:1: the file is larger than 1048576 bytes',
    ])
  })
})

describe('B10: no two servers can have a tool under one name', () => {
  const two = (one: string, other: string): string =>
    `{"environment": "d", "policies": ["p"], "mcpServers": {\n${one},\n${other}}}`
  const hint = 'give one of them another prefix: `"capfence": {"prefix": "…"}`'
  const cases: readonly (readonly [name: string, text: string, ...problems: string[]])[] = [
    ['different names', two('"a": {"command": "x"}', '"b": {"command": "x"}')],
    [
      'names that only differ where a model cannot see it',
      two('"my files": {"command": "x"}', '"my_files": {"command": "x"}'),
      `3:1: the tools of \`my_files\` (\`my_files__\`) could be taken for those of \`my files\` (\`my_files__\`) -- ${hint}`,
    ],
    [
      'names that only differ in case',
      two('"Files": {"command": "x"}', '"files": {"command": "x"}'),
      `3:1: the tools of \`files\` (\`files__\`) could be taken for those of \`Files\` (\`Files__\`) -- ${hint}`,
    ],
    [
      'a name that goes on where the other stops',
      two('"a": {"command": "x"}', '"a__b": {"command": "x"}'),
      `3:1: the tools of \`a__b\` (\`a__b__\`) could be taken for those of \`a\` (\`a__\`) -- ${hint}`,
    ],
    [
      'a prefix of its own',
      two('"a": {"command": "x"}', '"a__b": {"command": "x", "capfence": {"prefix": "ab_"}}'),
    ],
    [
      'a prefix that takes the other server’s place',
      two('"a": {"command": "x"}', '"b": {"command": "x", "capfence": {"prefix": "a__"}}'),
      `3:1: the tools of \`b\` (\`a__\`) could be taken for those of \`a\` (\`a__\`) -- ${hint}`,
    ],
    [
      'a switched-off server',
      two('"a": {"command": "x"}', '"A": {"command": "x", "disabled": true}'),
    ],
  ]
  test.each(cases)('%s', (_, text, ...expected) => {
    expect(problems(text)).toEqual(expected)
  })
})
