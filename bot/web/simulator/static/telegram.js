// The Telegram phone: shows what the stand-in says is on its screen, and reports what is done on it. Whose phone it is
// follows the list of people, which simulator.js keeps.
"use strict";

(() => {
  const at = (id) => document.getElementById("tg-" + id);
  const chats = new Map();
  let holder = "";
  let editing = 0;
  let noteTimer = 0;

  function element(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const timeOf = (moment) => new Date(moment).toLocaleTimeString("zh-CN", { hour: "2-digit", minute: "2-digit", hour12: false });

  // Messages

  function keyboard(bubble) {
    const keys = element("div", "tg-keys");
    for (const key of bubble.keys.flat()) {
      const button = element("button", "", key.text);
      button.type = "button";
      button.addEventListener("click", () => key.data === "contact" ? act("contact") : act("press", key.data, bubble.message_id));
      keys.append(button);
    }
    return keys;
  }

  function foot(bubble) {
    const line = element("div", "tg-foot");
    if (bubble.side === "sent" && bubble.kind === "text") {
      const change = element("button", "", "改");
      change.type = "button";
      change.title = "改这条消息 · Edit";
      change.addEventListener("click", () => edit(bubble));
      line.append(change);
    }
    if (bubble.edited) line.append(element("span", "", "已编辑"));
    line.append(element("span", "", timeOf(bubble.at)));
    return line;
  }

  function lineOf(bubble) {
    const line = element("div", "tg-line " + bubble.side);
    line.dataset.id = bubble.message_id;
    const box = element("div", "tg-bubble", bubble.text);
    box.append(foot(bubble));
    line.append(box);
    if (bubble.keys.length) line.append(keyboard(bubble));
    return line;
  }

  function show(bubble) {
    document.querySelector(".tg-hint")?.remove();
    const screen = at("screen");
    const old = screen.querySelector(`[data-id="${bubble.message_id}"]`);
    if (old) {
      old.replaceWith(lineOf(bubble));
      return;
    }
    screen.append(lineOf(bubble));
    screen.scrollTop = screen.scrollHeight;
  }

  function edit(bubble) {
    editing = bubble.message_id;
    at("text").value = bubble.text;
    at("text").focus();
  }

  // The phone in hand

  function showState(chat) {
    at("block-label").textContent = chat.blocked ? "恢复" : "停用";
    at("block-english").textContent = chat.blocked ? "Unblock" : "Block";
    at("start").hidden = chat.started || chat.blocked;
    at("start").textContent = "开始 Start";
    for (const control of document.querySelectorAll(".tg-composer *, .tg-tools button, .tg-keys button")) {
      control.disabled = chat.blocked;
    }
  }

  function choosePerson(openid) {
    if (!chats.has(openid)) return;
    holder = openid;
    editing = 0;
    const chat = chats.get(openid);
    at("screen").replaceChildren();
    if (!chat.screen.length) at("screen").append(element("p", "tg-hint", "还没有消息。Telegram 上的人是另一个身份，先报房号。"));
    chat.screen.forEach(show);
    showState(chat);
  }

  function keep(chat, bubble) {
    const index = chat.screen.findIndex((known) => known.message_id === bubble.message_id);
    if (index < 0) chat.screen.push(bubble);
    else chat.screen[index] = bubble;
  }

  function note(text) {
    at("note").textContent = text;
    at("note").hidden = false;
    clearTimeout(noteTimer);
    noteTimer = setTimeout(() => { at("note").hidden = true; }, 4000);
  }

  function arrived(change) {
    const chat = chats.get(change.phone.openid);
    if (!chat) return;
    if (change.bubble) keep(chat, change.bubble);
    const mine = change.phone.openid === holder;
    if (mine && change.phone.note && change.phone.note !== chat.note) note(change.phone.note);
    Object.assign(chat, { ...change.phone, screen: chat.screen });
    if (!mine) return;
    if (change.bubble) show(change.bubble);
    showState(chat);
  }

  // To and from the server

  async function act(kind, text = "", messageId = 0) {
    if (!holder) return;
    const reply = await fetch("/simulator/telegram/send", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ openid: holder, kind, text, message_id: messageId }),
    }).catch(() => null);
    if (!reply || !reply.ok) note("没发出去，请再试。Not sent, try again.");
  }

  async function load() {
    const state = await (await fetch("/simulator/telegram/state")).json();
    for (const chat of state.phones) chats.set(chat.openid, chat);
    const pressed = document.querySelector('.person[aria-pressed="true"]');
    choosePerson(holder || pressed?.dataset.openid || state.phones[0].openid);
  }

  function submit() {
    const text = at("text").value.trim();
    if (!text) return;
    act(editing ? "edit" : "text", text, editing);
    at("text").value = "";
    editing = 0;
  }

  at("composer").addEventListener("submit", (event) => { event.preventDefault(); submit(); });
  at("text").addEventListener("keydown", (event) => {
    // Enter that only ends a word of the input method must not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); submit(); }
  });
  document.addEventListener("phone-chosen", (event) => choosePerson(event.detail));
  for (const button of document.querySelectorAll("[data-act]")) {
    button.addEventListener("click", () => act(button.dataset.act));
  }
  // The examples go to the phone that was touched last.
  let inHand = false;
  const touched = (event) => {
    const phone = event.target.closest(".phone");
    if (!phone) return;
    inHand = phone.id === "tg";
    for (const one of document.querySelectorAll(".phone")) one.classList.toggle("in-hand", one === phone);
  };
  document.addEventListener("pointerdown", touched);
  document.addEventListener("focusin", touched);
  document.getElementById("chips").addEventListener("click", (event) => {
    const chip = event.target.closest(".chip");
    if (!chip || !inHand) return;
    event.stopImmediatePropagation();
    act("text", chip.dataset.text);
  }, true);
  const stream = new EventSource("/simulator/telegram/events");
  // What came while the stream was away is in the state.
  stream.onopen = () => { load(); };
  stream.onmessage = (message) => arrived(JSON.parse(message.data));
})();
