"""The look of the comparison page: in light and dark, on a wide screen and a narrow one."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root{color-scheme:light dark;--paper:#f6f7f9;--card:#fff;--ink:#1c2330;--soft:#667085;
--line:#dfe3ea;--good:#1a7f4b;--bad:#b42318;--warn:#a15c07;--calm:#3b5bdb;--tint:#fff4e5}
@media(prefers-color-scheme:dark){:root{--paper:#12151b;--card:#1b2029;--ink:#e6e9ef;
--soft:#98a2b3;--line:#2f3644;--good:#4cc38a;--bad:#ff7a6e;--warn:#f0b35b;--calm:#8ea6ff;
--tint:#2b241a}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1240px;margin:0 auto;padding:28px 20px 60px;display:grid;gap:18px}
main>*{min-width:0}
h1{font-size:22px;margin:0 0 6px;overflow-wrap:anywhere}
h2{font-size:16px;margin:0 0 10px}
h3{font-size:14px;margin:12px 0 6px}
p{margin:0 0 10px}
.verdict,small,.empty,figcaption{color:var(--soft)}
.lead{font-size:16px}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px 18px}
.sides{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:18px}
@media(max-width:760px){.sides{grid-template-columns:minmax(0,1fr)}}
.tag{display:inline-block;min-width:26px;padding:0 8px;border-radius:6px;font-style:normal;
text-align:center;color:#fff;background:#475467}
dl{display:grid;grid-template-columns:auto minmax(0,1fr);gap:2px 14px;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
.pill{display:inline-block;padding:1px 9px;border-radius:99px;border:1px solid;font-size:12.5px}
.good{color:var(--good)}.bad,.critical,.high{color:var(--bad)}.medium{color:var(--warn)}
.low,.info{color:var(--calm)}
ul{margin:0 0 8px;padding:0;list-style:none}
li{padding:8px 0;border-top:1px solid var(--line)}
code{font:13px ui-monospace,SFMono-Regular,Menlo,monospace}
figure{margin:0 0 14px}
figcaption{font-size:12.5px;overflow-wrap:anywhere}
.shot{position:relative;line-height:0;border:1px solid var(--line);border-radius:6px;
overflow:hidden}
.shot img{width:100%;height:auto}
.marker{position:absolute;width:26px;height:26px;margin:-13px;border-radius:50%;
border:3px solid #e5202e;box-shadow:0 0 0 2px #fff}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:14px}
th,td{text-align:left;padding:6px 10px 6px 0;border-top:1px solid var(--line);
vertical-align:top;overflow-wrap:anywhere}
th{color:var(--soft);font-weight:500;border:0}
td:nth-child(5),td:nth-child(6){white-space:nowrap;color:var(--soft)}
.folded td{color:var(--soft);text-align:center;font-style:italic}
tr.action,tr.outcome,tr.only_a,tr.only_b{background:var(--tint)}
tr.action td:last-child,tr.outcome td:last-child,tr.only_a td:last-child,
tr.only_b td:last-child{color:var(--bad)}
span.outcome{color:var(--soft);font-size:12.5px}
span.outcome::before{content:"\\2192\\00a0"}
"""
