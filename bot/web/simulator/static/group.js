// The work group: fetched anew whenever something travelled. The server keeps all state.
"use strict";

(() => {
  let shown = "";
  let timer = 0;

  const LINK = /https?:\/\/\S+/g;

  function linked(text) {
    const box = document.createDocumentFragment();
    let from = 0;
    for (const found of text.matchAll(LINK)) {
      box.append(text.slice(from, found.index), anchor(found[0], found[0]));
      from = found.index + found[0].length;
    }
    box.append(text.slice(from));
    return box;
  }

  function anchor(address, label) {
    const link = make("a", "", label.length > 60 ? label.slice(0, 40) + "…" : label);
    link.href = address;
    link.target = "_blank";
    link.rel = "noopener";
    return link;
  }

  function line(one) {
    const row = make("div", "row received" + (one.to ? " texted" : ""));
    const body = make("div", "body");
    const box = make("div", "bubble");
    if (one.everybody) box.append(make("span", "calls", "@所有人 "));
    box.append(linked(one.text));
    if (one.link) box.append("\n", anchor(one.link, one.link_label || one.link));
    body.append(make("small", "", one.to ? `短信 → ${one.to} · SMS` : "告警机器人 · robot"), box);
    row.append(make("span", "face", one.to ? "信" : "群"), body);
    return row;
  }

  function show(lines) {
    const screen = byId("group-screen");
    screen.replaceChildren();
    let before = 0;
    for (const one of lines) {
      const at = new Date(one.at).getTime();
      if (at - before > GAP_MS) screen.append(make("p", "when", whenText(one.at)));
      before = at;
      screen.append(line(one));
    }
    if (!lines.length) screen.append(make("p", "grey", "群里还没有消息。Nothing yet."));
    screen.scrollTop = screen.scrollHeight;
  }

  async function load() {
    const reply = await fetch("/simulator/group/state").catch(() => null);
    if (!reply || !reply.ok) return;
    const { lines } = await reply.json();
    const key = lines.map((one) => one.number).join();
    if (key === shown && key) return;
    shown = key;
    show(lines);
  }

  document.addEventListener("travelled", () => {
    clearTimeout(timer);
    timer = setTimeout(load, 150);
  });
  load();
})();
