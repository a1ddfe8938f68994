import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, chown, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'

/**
 * A real mail server for one test: Debian's Dovecot on loopback, mail handed to it over LMTP as a mail server does. `null`, with a
 * loud word, where it is not there and may not be installed; with CI=true that is an error.
 */
export const openDovecot = async () => {
  if (!isInstalled()) {
    if (process.env.CI === 'true') throw new Error('Dovecot is missing: apt-get install dovecot-imapd dovecot-lmtpd')
    console.warn('SKIPPED: no Dovecot here. On Debian, as root: apt-get install dovecot-imapd dovecot-lmtpd')
    return null
  }
  const directory = await mkdtemp(path.join(tmpdir(), 'helpdesk-dovecot-'))
  await chmod(directory, 0o755)
  const [imapPort, lmtpPort] = [await freePort(), await freePort()]
  for (const name of ['base', 'state', 'mail']) await mkdir(path.join(directory, name))
  const { uid, gid } = nobody()
  await chown(path.join(directory, 'mail'), uid, gid)
  const config = path.join(directory, 'dovecot.conf')
  await writeFile(config, configuration(directory, imapPort, lmtpPort))

  const start = async () => {
    // No pipes: what it leaves running would hold them open.
    const { status } = spawnSync(DOVECOT, ['-c', config], { stdio: 'ignore' })
    if (status !== 0) throw new Error('Dovecot did not start')
    await answering(imapPort)
    await answering(lmtpPort)
  }
  const stop = async () => {
    const pid = Number(await readFile(path.join(directory, 'base', 'master.pid'), 'utf8'))
    process.kill(pid)
    // Its children keep the ports until the last of them is gone.
    while (isAlive(pid)) await pause(20)
  }
  await start()

  return {
    imapPort,
    lmtpPort,
    deliver: (to, mail) => deliver(lmtpPort, to, mail),
    doveadm: (...args) => {
      const { status, stdout, stderr } = spawnSync('doveadm', ['-c', config, ...args], { encoding: 'utf8' })
      if (status !== 0 && !args.includes('kick')) throw new Error(`doveadm ${args.join(' ')}: ${stderr}`)
      return stdout
    },
    stop,
    start,
    mailDirectory: (user) => path.join(directory, 'mail', user),
    close: async () => {
      await stop()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

const DOVECOT = '/usr/sbin/dovecot'

const isInstalled = () => {
  const LMTP = '/usr/lib/dovecot/lmtp'
  if (existsSync(DOVECOT) && existsSync(LMTP)) return true
  if (!existsSync('/usr/bin/apt-get') || process.getuid?.() !== 0) return false
  console.warn('Installing dovecot-imapd dovecot-lmtpd …')
  const quiet = { stdio: 'ignore', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
  spawnSync('apt-get', ['update', '-qq'], quiet)
  const wanted = ['dovecot-imapd', 'dovecot-lmtpd']
  const wait = ['-o', 'DPkg::Lock::Timeout=120']
  spawnSync('apt-get', [...wait, 'install', '-y', '-qq', '--no-install-recommends', ...wanted], quiet)
  return existsSync(DOVECOT) && existsSync(LMTP)
}

const nobody = () => {
  const id = (flag, name) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim())
  return { uid: id('-u', 'nobody'), gid: id('-g', 'nobody') }
}

/** One LMTP conversation (RFC 2033). */
const deliver = (port, to, mail) =>
  new Promise((resolve, reject) => {
    const body = (typeof mail === 'string' ? mail : mail.toString('latin1'))
      .replace(/\r?\n/g, '\r\n')
      .replace(/^\./gm, '..')
    const said = [
      `LHLO test\r\n`,
      `MAIL FROM:<sender@example.org>\r\n`,
      `RCPT TO:<${to}>\r\n`,
      'DATA\r\n',
      `${body}\r\n.\r\n`,
      'QUIT\r\n',
    ]
    const socket = connect(port, '127.0.0.1')
    let pending = ''
    socket.on('data', (data) => {
      pending += data.toString('latin1')
      const lines = pending.split('\r\n')
      pending = lines.pop() ?? ''
      for (const line of lines) {
        if (/^[45]/.test(line)) {
          reject(new Error(`LMTP: ${line}`))
          return void socket.destroy()
        }
        // 250-… goes on; 250 … ends an answer.
        if (line[3] === ' ') {
          const next = said.shift()
          if (next === undefined) return void socket.end()
          socket.write(next, 'latin1')
        }
      }
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })

export const freePort = async () => {
  const server = createServer()
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address()
  await new Promise((resolve) => server.close(resolve))
  return port
}

const answering = async (port) => {
  for (let tries = 0; tries < 200; tries += 1) {
    const open = await new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true))
      socket.on('error', () => resolve(false))
      socket.unref()
      setTimeout(() => socket.destroy(), 200).unref()
    })
    if (open) return
    await pause(25)
  }
  throw new Error('Dovecot does not answer')
}

const isAlive = (pid) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

const configuration = (directory, imapPort, lmtpPort) => `
base_dir = ${directory}/base
state_dir = ${directory}/state
log_path = ${directory}/dovecot.log
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_uid = nobody
mail_gid = nogroup
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 200
recipient_delimiter = +
lmtp_save_to_detail_mailbox = no
auth_failure_delay = 0
mail_location = maildir:${directory}/mail/%u:INBOX=${directory}/mail/%u
namespace inbox {
  inbox = yes
  separator = /
  mailbox Sent {
    auto = subscribe
    special_use = \\Sent
  }
}
passdb {
  driver = static
  args = password=secret
}
userdb {
  driver = static
  args = uid=nobody gid=nogroup home=${directory}/mail/%u allow_all_users=yes
}
service imap-login {
  chroot =
  inet_listener imap {
    port = ${imapPort}
  }
  inet_listener imaps {
    port = 0
  }
}
service anvil {
  chroot =
  # One test's wrong password would make those after it wait for seconds: they come from the same address.
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service stats {
  chroot =
}
service lmtp {
  inet_listener lmtp {
    address = 127.0.0.1
    port = ${lmtpPort}
  }
}
`
