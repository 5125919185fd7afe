/** The tables of columns and process figures: order, names and sources. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { C, G } from '../../../src/model/counters.ts';
import { infoFields, uptimeText } from '../../../src/model/process-statistics.ts';
import { columns, csvHeader, moduleMark, proxyColumnCount } from '../../../src/model/statistics.ts';

/** The part of HAProxy's header that tools read by position. */
const headerStart = '# pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,' +
  'downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,' +
  'hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,' +
  'agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,' +
  'conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,' +
  'used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,srid,sess_other,h1sess,h2sess,h3sess,req_other,h1req,h2req,h3req,proto,' +
  'priv_idle_cur,reqbin,reqbout,resbin,resbout,cache_hint_hits,-,';

test('the header has the columns of HAProxy in their places and ends with a comma', () => {
  assert.ok(csvHeader.startsWith(headerStart));
  assert.ok(csvHeader.endsWith(','));
  assert.equal(proxyColumnCount, 119);
  assert.equal(csvHeader.slice(2).split(',')[119], moduleMark);
});

test('every column has a name of its own, help, known tags, kinds and source', () => {
  assert.equal(new Set(columns.map(column => column.name)).size, columns.length);
  for (const column of columns) {
    assert.match(column.tags, /^[KPCMS][NOGLCMRDAa][SP]$/, column.name);
    assert.match(column.on, /^[FLSBfsb]+$/, column.name);
    assert.ok(column.help.length > 3, column.name);
    const { source } = column;
    const known = ['computed', 'zero', 'never'].includes(source) || source in C || (source.startsWith('gauge ') && source.slice(6) in G);
    assert.ok(known, `${column.name}: ${source}`);
  }
});

test('metrics belong to kinds that show their column', () => {
  for (const column of columns) {
    for (const metric of column.metrics) {
      for (const letter of metric.on) assert.ok(column.on.toUpperCase().includes(letter), `${metric.name} on ${letter}`);
    }
  }
});

test('show info has the fields that hatop needs', () => {
  const names = infoFields.map(field => field.name);
  for (const name of ['Name', 'Version', 'Release_date', 'Nbproc', 'Process_num', 'Pid', 'Uptime', 'Maxconn', 'CurrConns', 'Maxpipes', 'PipesUsed', 'Tasks', 'Run_queue', 'node']) {
    assert.ok(names.includes(name), name);
  }
  assert.equal(new Set(names).size, names.length);
});

test('times since start are written as HAProxy does', () => {
  assert.equal(uptimeText(6), '0d 0h00m06s');
  assert.equal(uptimeText(2 * 86400 + 3 * 3600 + 4 * 60 + 59), '2d 3h04m59s');
});
