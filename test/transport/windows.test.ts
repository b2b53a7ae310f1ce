import { describe, expect, test } from 'vitest'
import type { Launch } from '../../src/transport/command.ts'
import { windowsCommand, type WindowsCommand } from '../../src/transport/windows.ts'

const files = [
  'C:\\node\\npx.cmd',
  'C:\\node\\node.exe',
  'C:\\node\\both.exe',
  'C:\\node\\both.cmd',
  'C:\\other dir\\tool.bat',
  'C:\\node\\script.js',
  'C:\\project\\npx.cmd',
  'C:\\project\\local.exe',
  'C:\\node\\odd&name%.cmd',
]

function command(launch: Partial<Launch>): WindowsCommand {
  const env = { Path: '"C:\\other dir";C:\\node;relative;;.', PATHEXT: '.COM;.EXE;.BAT;.CMD' }
  return windowsCommand({ command: 'npx', args: [], env, cwd: 'C:\\project', ...launch }, (file) =>
    files.some((known) => known.toLowerCase() === file.toLowerCase()),
  )
}

/** What cmd.exe is told to run. */
function line(launch: Partial<Launch>): string | undefined {
  const { file, args, verbatim } = command(launch)
  expect(file).toMatch(/\\System32\\cmd\.exe$/)
  expect(args.slice(0, 4)).toEqual(['/d', '/v:off', '/s', '/c'])
  expect(verbatim).toBe(true)
  return args[4]
}

describe('starting a server on Windows', () => {
  test.each<[string, Partial<Launch>, string]>([
    ['a program is found by its extension', { command: 'node' }, 'C:\\node\\node.EXE'],
    ['a program with its extension', { command: 'node.exe' }, 'C:\\node\\node.exe'],
    ['the order of PATHEXT decides', { command: 'both' }, 'C:\\node\\both.EXE'],
    ['a path from the working directory', { command: '.\\local.exe' }, 'C:\\project\\local.exe'],
    ['a path with slashes', { command: 'C:/node/node' }, 'C:\\node\\node.EXE'],
  ])('%s', (_name, launch, file) => {
    const args = ['a b', '"', '%PATH%', '&']
    expect(command({ ...launch, args })).toEqual({ file, args, verbatim: false })
  })

  test('a batch file goes through cmd.exe, with every word in quotes', () => {
    expect(line({ args: ['-y', '@scope/server@1', 'a b', '', '&|<>^()'] })).toBe(
      '""C:\\node\\npx.CMD" "-y" "@scope/server@1" "a b" "" "&|<>^()""',
    )
  })

  test('backslashes at the end of a word do not escape its quote', () => {
    expect(line({ command: 'tool', args: ['C:\\dir\\', 'x\\\\', '\\a'] })).toBe(
      '""C:\\other dir\\tool.BAT" "C:\\dir\\\\" "x\\\\\\\\" "\\a""',
    )
  })

  test.each([
    ['a quote', 'a" & calc & "'],
    ['a variable', '%PATH%'],
    ['a single percent sign', '100%'],
    ['a delayed variable', '!PATH!'],
    ['a new line', 'a\nb'],
    ['a carriage return', 'a\rb'],
    ['a NUL', 'a\0b'],
  ])('%s cannot be passed to a batch file safely, and is refused', (_name, word) => {
    const refused = (): unknown => command({ args: ['ok', `${word} secret`] })
    expect(refused).toThrow(/batch file, and its argument 2 contains/)
    // It may be a password.
    expect(refused).not.toThrow(/secret/)
  })

  test('a batch file whose own name cannot be quoted is refused', () => {
    expect(() => command({ command: 'C:\\node\\odd&name%' })).toThrow(/batch file/)
  })

  test('the working directory is not searched: a project must not bring its own npx', () => {
    const env = { PATH: 'relative;.;;', PATHEXT: '.CMD' }
    expect(() => command({ env })).toThrow(/no such program/)
  })

  test('a script is not a program', () => {
    expect(() => command({ command: 'script.js' })).toThrow(/is not a program/)
  })

  test('without PATHEXT the usual extensions count', () => {
    expect(command({ command: 'node', env: { PATH: 'C:\\node' } }).file).toBe('C:\\node\\node.EXE')
  })

  test('a missing program is named', () => {
    expect(() => command({ command: 'nothing' })).toThrow('cannot start `nothing`: no such program')
  })
})
