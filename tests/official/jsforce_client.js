// jsforce against an organisation: authorises by a signed assertion, reads in batches, upserts one case and several, asks what was deleted.
//
// node jsforce_client.js SERVER CLIENT_ID USER < PRIVATE_KEY: prints a JSON object.

const crypto = require('node:crypto')
const fs = require('node:fs')
const { createRequire } = require('node:module')

// The modules lie where this Node lies.
const jsforce = createRequire(process.execPath)('jsforce')
const [server, clientId, user] = process.argv.slice(2)
const key = fs.readFileSync(0, 'utf8')

function assertion(issuer) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = { iss: issuer, sub: user, aud: 'https://login.salesforce.com', exp: Math.floor(Date.now() / 1000) + 120 }
  const signed = `${part({ alg: 'RS256' })}.${part(claims)}`
  return `${signed}.${crypto.sign('RSA-SHA256', Buffer.from(signed), key).toString('base64url')}`
}

async function connect(issuer) {
  const connection = new jsforce.Connection({ loginUrl: server, instanceUrl: server, version: '62.0' })
  await connection.authorize({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(issuer) })
  return connection
}

async function main() {
  const said = {}
  const refusal = (name, promise) => promise.then(() => (said[name] = null), (error) => (said[name] = error.errorCode ?? error.name))
  await refusal('refused', connect('another app'))
  const org = await connect(clientId)
  const soql = 'SELECT Id, Subject FROM Case ORDER BY SystemModstamp, Id'
  const first = await org.query(soql)
  const more = await org.queryMore(first.nextRecordsUrl)
  said.batches = [first.records.length, more.records.length, first.totalSize]
  said.all = (await org.query('SELECT Id, IsDeleted FROM Case', { autoFetch: true, maxFetch: 10000, scanAll: true })).records.length
  said.live = (await org.query('SELECT Id FROM Case', { autoFetch: true, maxFetch: 10000 })).records.length
  const deleted = await org.sobject('Case').deleted(new Date(Date.now() - 86_400_000), new Date(Date.now() + 60_000))
  said.deleted = deleted.deletedRecords.map((row) => row.id)
  said.upserts = []
  for (const Subject of ['one', 'two']) said.upserts.push(await org.sobject('Case').upsert({ Renmen_Id__c: 'key-2', Subject, Priority: 'High' }, 'Renmen_Id__c'))
  await refusal('no_field', org.query('SELECT Nothing FROM Case'))
  await refusal('no_priority', org.sobject('Case').upsert({ Renmen_Id__c: 'key-3', Subject: 'x', Priority: 'Extreme' }, 'Renmen_Id__c'))
  console.log(JSON.stringify(said))
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
