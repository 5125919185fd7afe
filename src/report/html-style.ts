/** Style sheet and script of the statistics page. Colours are those operators know: green up, blue backup, yellow on the way, red down. */

/** Colours of the rows, by class; also the legend. */
export const rowColours: readonly { readonly name: string; readonly colour: string; readonly legend: string }[] = [
  { name: 'active_up', colour: '#c0ffc0', legend: 'active UP' },
  { name: 'backup_up', colour: '#b0d0ff', legend: 'backup UP' },
  { name: 'active_going_down', colour: '#ffffa0', legend: 'active UP, going down' },
  { name: 'backup_going_down', colour: '#d0a0ff', legend: 'backup UP, going down' },
  { name: 'active_going_up', colour: '#ffd060', legend: 'active DOWN, going up' },
  { name: 'backup_going_up', colour: '#ffa8ff', legend: 'backup DOWN, going up' },
  { name: 'down', colour: '#ff9090', legend: 'active or backup DOWN' },
  { name: 'no_check', colour: '#e2e2e2', legend: 'not checked' },
  { name: 'maintain', colour: '#d69048', legend: 'DOWN for maintenance (MAINT)' },
  { name: 'draining', colour: '#5cb8ff', legend: 'soft stopped (DRAIN, NOLB)' },
];

export const style = `
:root{color-scheme:light}
body{font:12px/1.35 Arial,Helvetica,"Liberation Sans",sans-serif;margin:10px 12px;color:#000;background:#fff}
h1{font-size:19px;margin:0 0 4px}h2{font-size:15px;font-weight:normal;margin:0 0 8px}h3{font-size:14px;margin:10px 0 6px}
hr{border:0;border-top:1px solid #999;margin:8px 0}
a{color:#00e}a.q,a.q:visited{color:inherit;text-decoration:none}a.q:hover{text-decoration:underline}
.top{display:flex;flex-wrap:wrap;gap:12px 40px;align-items:flex-start}
.top p{margin:0}.top ul{margin:3px 0 0;padding-left:18px}.top form{display:inline}
.legend{border-collapse:collapse}.legend td{padding:2px 6px;font-size:11px}.legend td.c{width:26px;border:1px solid #888}
.note{font-size:11px;margin-top:4px}
section{margin:14px 0 18px}
table.t{border-collapse:collapse;width:100%;font-size:11px}
table.t th,table.t td{border:1px solid #a8a8a8;padding:2px 5px;white-space:nowrap}
table.t td{text-align:right}table.t td.c{text-align:center}table.t td.l{text-align:left}
table.t th{background:#8fd6d8;font-weight:normal}table.t tr.g th{background:#63c5c9;font-weight:bold}
table.t th.b{min-width:84px}
table.t tr.g+tr th{border-bottom-color:#777}table.t input{margin:0;vertical-align:middle}
.px{display:inline-block;background:#b00040;color:#ff6;font-weight:bold;font-size:13px;padding:3px 14px;border-radius:3px 3px 0 0}
.px a{color:#ff6}.pxd{margin-left:10px;color:#444}
tr.frontend td,tr.backend td{background:#e8e8d4}tr.backend td{font-weight:bold}tr.socket td{background:#dcecec}
${rowColours.map(({ name, colour }) => `tr.${name} td,.legend td.${name},div.${name}{background:${colour}}`).join('\n')}
.k{padding-right:3px}
.tip{position:relative;border-bottom:1px dotted #555;cursor:help}
.tip>.d{display:none;position:absolute;z-index:9;left:0;top:100%;background:#ffffe8;border:1px solid #888;padding:4px 7px;text-align:left;font-weight:normal;box-shadow:2px 2px 5px #0004}
td:nth-last-child(-n+14) .tip>.d{left:auto;right:0}
.tip:hover>.d,.tip:focus-within>.d{display:block}
.d table{border-collapse:collapse}table.t .d th,table.t .d td{border:0;padding:0 4px;background:none;text-align:right;font-weight:normal}table.t .d th{text-align:left}
.msg{border:1px solid #777;padding:6px 10px;margin:10px 0}
.act{margin-top:5px}
`;

/** The checkbox in a table's head ticks all servers of its form. */
export const script = `document.addEventListener('change',function(e){var b=e.target;if(b.className!=='all'||!b.form)return;
b.form.querySelectorAll('input[name=s]').forEach(function(c){c.checked=b.checked})})`;
