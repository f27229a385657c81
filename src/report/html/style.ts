/** The page's looks: light or dark as the reader's system is, from 360 pixels on. */
export const STYLE = `
:root{color-scheme:light dark;--paper:#fff;--ink:#1c2126;--soft:#57606a;--line:#d5dae0;--panel:#f5f7f9;
--good:#1a7f37;--wait:#8a5a00;--bad:#c62828;--calm:#0b5cad;--rest:#6b7580}
@media(prefers-color-scheme:dark){:root{--paper:#14181c;--ink:#e4e8ec;--soft:#a0a9b3;--line:#363d45;--panel:#1d2328;
--good:#4cc26a;--wait:#e0a83a;--bad:#ff7b72;--calm:#6cb2ff;--rest:#97a1ac}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
header,main,footer{max-width:72rem;margin:0 auto;padding:0 1rem}header,footer{padding:1rem}
h1{margin:0;font-size:1.6rem}h2{margin:2rem 0 .5rem;font-size:1.2rem}
p{margin:.4rem 0}.soft{color:var(--soft)}.verdict{font-size:1.1rem;font-weight:600}
.bar{display:flex;height:1.6rem;border-radius:.3rem;overflow:hidden;background:var(--line)}
.bar span{min-width:2px}
.good{--tone:var(--good)}.wait{--tone:var(--wait)}.bad{--tone:var(--bad)}.calm{--tone:var(--calm)}.rest{--tone:var(--rest)}
.fill{background:var(--tone)}.tone{color:var(--tone);font-weight:600}
table{width:100%;border-collapse:collapse;margin:.5rem 0;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem .35rem 0;border-bottom:1px solid var(--line)}
th{color:var(--soft);font-weight:600}th,.number{overflow-wrap:normal}td.number,th.number{text-align:right}td.id{white-space:nowrap}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}svg .axis{stroke:var(--line)}
svg .path{fill:none;stroke:var(--tone);stroke-width:2}
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;list-style:none;margin:.5rem 0;padding:0}
.legend i{display:inline-block;width:.8rem;height:.8rem;border-radius:.15rem;margin-right:.4rem;background:var(--tone)}
form{display:flex;flex-wrap:wrap;gap:.6rem;margin:.5rem 0}
label{display:flex;flex-direction:column;color:var(--soft);font-size:.9rem;flex:1 1 12rem}
input,select,button{font:inherit;color:inherit;background:var(--panel);border:1px solid var(--line);border-radius:.3rem;padding:.35rem .5rem;min-width:0}
nav{display:flex;flex-wrap:wrap;align-items:center;gap:.6rem}
button:disabled{opacity:.5}:focus-visible{outline:2px solid var(--calm);outline-offset:1px}
@media(max-width:40rem){table.wide thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}
table.wide,table.wide tbody,table.wide tr,table.wide td{display:block}
table.wide tr{padding:.5rem 0;border-bottom:1px solid var(--line)}table.wide td{border:0;padding:.1rem 0;text-align:left}
table.wide td.id{white-space:normal}table.wide td[data-name]::before{content:attr(data-name) ": ";color:var(--soft)}table.wide td:empty{display:none}}
`
