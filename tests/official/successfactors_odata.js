// An OData 2 server that is not ours, in front of entities with the names of SuccessFactors: @sap/cds with @cap-js-community/odata-v2-adapter.
// Prints its address as JSON, and serves until it is ended. What SuccessFactors has beyond OData 2 is translated here, and nothing else: `paging`
// must be asked for, `customPageSize` is how many rows a page may have, `status in 't','f'` stands for two comparisons.
//
// node successfactors_odata.js MOST_ROWS_OF_A_PAGE

const { createRequire } = require('node:module')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

// The modules lie where this Node lies.
const load = createRequire(process.execPath)
const MOST = Number(process.argv[2])
const TOKEN = 'token-of-the-foreign-server'
// Standard output is for the address alone: what the framework logs goes elsewhere.
const say = console.log
console.log = console.info = console.debug = console.error
// CAP looks for plugins and settings in the folder where it runs.
const home = fs.mkdtempSync(path.join(os.tmpdir(), 'odata-v2-'))
process.chdir(home)
process.env.CDS_CONFIG = JSON.stringify({
  requires: { db: { kind: 'sqlite', impl: '@cap-js/sqlite', credentials: { url: ':memory:' } }, auth: { kind: 'dummy' } },
  query: { limit: { max: MOST } },
  log: { levels: { odata: 'error', 'cov2ap/hpm': 'error', cds: 'error', server: 'error', cov2ap: 'error', sqlite: 'error', deploy: 'error' } },
})

const MODEL = `
@path: '/odata/v4/sf' @protocol: 'odata-v4'
service SFOData {
  entity FODepartment { key externalCode: String(32); key startDate: Date; name: String(90); parent: String(32); headOfUnit: String(32);
    status: String(1); lastModifiedDateTime: Timestamp; }
  entity FOJobCode { key externalCode: String(32); key startDate: Date; name: String(90); jobFunction: String(32); grade: String(32);
    status: String(1); lastModifiedDateTime: Timestamp; }
  entity User { key userId: String(100); empId: String(100); username: String(100); firstName: String(128); lastName: String(128);
    defaultFullName: String(255); email: String(100); cellPhone: String(32); businessPhone: String(32); title: String(255); jobCode: String(32);
    location: String(128); hireDate: Date; status: String(1); lastModifiedDateTime: Timestamp; manager: Association to User; }
  entity EmpJob { key userId: String(100); key startDate: Date; key seqNumber: Int64; endDate: Date; jobTitle: String(256); jobCode: String(32);
    position: String(128); department: String(32); location: String(32); managerId: String(256); payGrade: String(32); fte: Decimal(15, 4);
    standardHours: Double; lastModifiedDateTime: Timestamp; }
  entity EmpPayCompRecurring { key userId: String(100); key startDate: Date; key seqNumber: Int64; key payComponent: String(32); endDate: Date;
    paycompvalue: Decimal(19, 4); currencyCode: String(32); frequency: String(38); lastModifiedDateTime: Timestamp; }
  entity Position { key code: String(128); key effectiveStartDate: Date; jobCode: String(128); jobTitle: String(255); department: String(128);
    location: String(128); vacant: Boolean; effectiveStatus: String(1); lastModifiedDateTime: Timestamp; }
  entity JobRequisition { key jobReqId: Int64; jobCode: String(32); department: String(32); location: String(32); numberOpenings: Int64;
    openingsFilled: Int64; internalStatus: String(32); deleted: String(32); createdDateTime: Timestamp; closedDateTime: Timestamp;
    lastModifiedDateTime: Timestamp; jobReqLocale: Composition of many JobRequisitionLocale on jobReqLocale.jobReqId = jobReqId; }
  entity JobRequisitionLocale { key jobReqLocalId: Int64; jobReqId: Int64; externalTitle: String(255); locale: String(32); }
  entity Candidate { key candidateId: Int64; firstName: String(128); lastName: String(128); primaryEmail: String(255); cellPhone: String(32);
    currentTitle: String(255); lastModifiedDateTime: Timestamp; }
  entity JobApplicationStatus { key appStatusId: Int64; appStatusName: String(128); }
  entity JobApplication { key applicationId: Int64; candidateId: Int64; jobReqId: Int64; status: String(32); appStatusSetItemId: Int64;
    source: String(64); applicationDate: Timestamp; lastModifiedDateTime: Timestamp; jobAppStatus: Association to JobApplicationStatus; }
  entity FormHeader { key formDataId: Int64; formTitle: String(255); formTemplateType: String(64); formSubjectId: String(100);
    formReviewStartDate: Date; formReviewEndDate: Date; formDataStatus: Int64; formLastModifiedDate: Timestamp; currentStep: String(128);
    rating: Double; }
}`

const AT = '2026-01-01T00:00:00.000Z'

function rows() {
  const numbers = Array.from({ length: 7 }, (_, at) => at + 1)
  const user = (n) => ({
    userId: `${n}`, empId: `E${n}`, username: `user${n}`, firstName: 'Mei', lastName: `O'Brien ${n}`, defaultFullName: `员工 ${n}`,
    email: `u${n}@made-up.example`, title: 'Engineer', jobCode: 'ENG', location: 'Shanghai', hireDate: '2025-12-31', status: n === 5 ? 'f' : 't',
    manager_userId: n > 1 ? '1' : null, lastModifiedDateTime: AT,
  })
  const slice = (n, startDate, endDate, seqNumber) => ({
    userId: `${n}`, startDate, endDate, seqNumber, jobTitle: 'Engineer', jobCode: 'ENG', position: 'P-1', department: 'D-1', location: 'Shanghai',
    managerId: n > 1 ? '1' : 'NO_MANAGER', payGrade: 'GR-05', fte: 0.5, standardHours: 37.5, lastModifiedDateTime: AT,
  })
  const pay = (n) => ({
    userId: `${n}`, startDate: '2026-01-01', seqNumber: 1, payComponent: 'BASE', endDate: '9999-12-31', paycompvalue: 8000.55 + n,
    currencyCode: 'CNY', frequency: 'MON', lastModifiedDateTime: AT,
  })
  const application = (n) => ({
    applicationId: n, candidateId: n, jobReqId: 1, status: n === 7 ? 'Draft' : 'Open', appStatusSetItemId: 11, source: 'Referral',
    applicationDate: AT, jobAppStatus_appStatusId: 11, lastModifiedDateTime: AT,
  })
  return {
    FODepartment: numbers.slice(0, 3).map((n) => ({
      externalCode: `D-${n}`, startDate: '2020-01-01', name: `Department ${n}`, parent: n > 1 ? 'D-1' : null, headOfUnit: '1',
      status: n === 3 ? 'I' : 'A', lastModifiedDateTime: AT,
    })),
    FOJobCode: [{ externalCode: 'ENG', startDate: '2020-01-01', name: 'Engineer', grade: 'GR-05', status: 'A', lastModifiedDateTime: AT }],
    User: numbers.map(user),
    EmpJob: numbers.flatMap((n) => [slice(n, '1969-07-20', '2025-12-31', 1), slice(n, '2026-01-01', '9999-12-31', 2)]),
    EmpPayCompRecurring: numbers.map(pay),
    Position: numbers.map((n) => ({
      code: `P-${n}`, effectiveStartDate: '2020-01-01', jobCode: 'ENG', jobTitle: 'Engineer', department: 'D-1', vacant: n > 2,
      effectiveStatus: 'A', lastModifiedDateTime: AT,
    })),
    JobRequisition: numbers.map((n) => ({
      jobReqId: n, jobCode: 'ENG', department: 'D-1', numberOpenings: 2, openingsFilled: 0, internalStatus: 'Open', deleted: 'Not Deleted',
      createdDateTime: AT, lastModifiedDateTime: AT,
    })),
    JobRequisitionLocale: numbers.map((n) => ({ jobReqLocalId: n, jobReqId: n, externalTitle: `Engineer ${n}`, locale: 'en_US' })),
    Candidate: numbers.map((n) => ({
      candidateId: n, firstName: 'Mei', lastName: `Candidate ${n}`, primaryEmail: `c${n}@made-up.example`, lastModifiedDateTime: AT,
    })),
    JobApplicationStatus: [{ appStatusId: 11, appStatusName: 'Phone Screen' }],
    JobApplication: numbers.map(application),
    FormHeader: numbers.map((n) => ({
      formDataId: n, formTitle: 'Annual review 2025', formTemplateType: n === 7 ? '360' : 'Performance', formSubjectId: `${n}`,
      formReviewStartDate: '2025-01-01', formReviewEndDate: '2025-12-31', formDataStatus: 3, formLastModifiedDate: AT, currentStep: 'Completed',
      rating: n === 2 ? -1 : 4.25,
    })),
  }
}

// What SuccessFactors asks for beyond OData 2.
function door(request, response, next) {
  if (request.headers.authorization !== `Bearer ${TOKEN}`) return response.status(401).json({ error: { code: 'LGN0001', message: 'no token' } })
  delete request.headers.authorization
  const url = new URL(request.url, 'http://localhost')
  const first = !url.searchParams.has('$skiptoken')
  if (first && !url.searchParams.has('paging')) return response.status(400).json({ error: { code: 'COE0020', message: 'no paging' } })
  const size = url.searchParams.get('customPageSize')
  if (size) request.headers.prefer = `odata.maxpagesize=${size}`
  const filter = url.searchParams.get('$filter')
  if (filter) url.searchParams.set('$filter', filter.replace("status in 't','f'", "(status eq 't' or status eq 'f')"))
  for (const own of ['paging', 'customPageSize', 'fromDate', 'toDate']) url.searchParams.delete(own)
  const rest = url.pathname.replace('/odata/v2/', '/odata/v2/sf/').replace('/sf/sf/', '/sf/')
  request.url = request.originalUrl = `${rest}${url.search}`
  next()
}

async function main() {
  const cds = load('@sap/cds')
  const cov2ap = load('@cap-js-community/odata-v2-adapter')
  const express = load('express')
  cds.root = home
  const model = cds.compile(MODEL)
  cds.model = cds.compile.for.nodejs(model)
  await cds.connect.to('db')
  await cds.deploy(model)
  for (const [name, entries] of Object.entries(rows())) await cds.run(cds.ql.INSERT.into(`SFOData.${name}`).entries(entries))
  const app = express()
  cds.app = app
  app.post('/oauth/token', express.urlencoded({ extended: false }), (request, response) => {
    const good = request.body.company_id === 'madeup' && request.body.grant_type?.endsWith(':saml2-bearer') && request.body.assertion
    if (!good) return response.status(401).json({ errorMessage: 'Unable to authenticate the client' })
    return response.json({ access_token: TOKEN, token_type: 'Bearer', expires_in: 3600 })
  })
  app.use((request, response, next) => (request.url.startsWith('/odata/v2/') ? door(request, response, next) : next()))
  app.use(cov2ap({ path: 'odata/v2' }))
  await cds.serve('all').from(cds.model).in(app)
  const server = app.listen(0, '127.0.0.1', () => {
    // The adapter waits to be told this.
    cds.emit('listening', { server, url: `http://localhost:${server.address().port}` })
    // Everything is loaded, and the database is in memory.
    process.chdir(os.tmpdir())
    fs.rmSync(home, { recursive: true })
    // The adapter gives addresses of the next page with this name, not with the number.
    say(JSON.stringify({ url: `http://localhost:${server.address().port}` }))
  })
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
