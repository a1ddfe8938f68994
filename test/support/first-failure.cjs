const { TestEnvironment } = require('jest-environment-node')

/** One test that goes red is the verdict on a changed line of code: the others are not run any more (stryker.config.mjs). */
let caught
module.exports = class extends TestEnvironment {
  handleTestEvent({ name, test }) {
    const changed = process.env['__STRYKER_ACTIVE_MUTANT__']
    if (changed === undefined) return
    if (name === 'test_fn_failure') caught = changed
    if (name === 'test_start' && caught === changed) test.mode = 'skip'
  }
}
