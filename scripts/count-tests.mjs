// Prints what a test run came to as one line, `N passed, N failed, N skipped`, from vitest's JSON report.
// Exits with 1 unless every test ran and passed, and there was at least one: a test that is skipped shows nothing.
import { readFileSync } from 'node:fs'

/**
 * @typedef {object} Report
 * @property {readonly File[]} testResults
 *
 * @typedef {object} File
 * @property {string} name
 * @property {string} status
 * @property {readonly Test[]} assertionResults
 *
 * @typedef {object} Test
 * @property {string} fullName
 * @property {string} status
 */

const files = read(process.argv[2] ?? 'test-artefacts/vitest.json')
const tests = files.flatMap((file) => file.assertionResults)
// A file that could not even be loaded has no tests to count, but it has failed.
const broken = files.filter(
  ({ status, assertionResults }) =>
    status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
)
const passed = tests.filter(({ status }) => status === 'passed').length
const failed = tests.filter(({ status }) => status === 'failed').length + broken.length
const skipped = tests.filter(({ status }) => status !== 'passed' && status !== 'failed')

for (const { name } of broken) console.error(`could not be loaded: ${name}`)
for (const { fullName } of skipped) console.error(`skipped: ${fullName}`)
console.log(`${passed} passed, ${failed} failed, ${skipped.length} skipped`)
process.exitCode = passed > 0 && failed === 0 && skipped.length === 0 ? 0 : 1

/**
 * @param {string} path
 * @returns {readonly File[]} none when the run ended before it wrote a report
 */
function read(path) {
  try {
    const report = /** @type {Report} */ (JSON.parse(readFileSync(path, 'utf8')))
    return report.testResults
  } catch (error) {
    console.error(`there is no test report: ${String(error)}`)
    return []
  }
}
