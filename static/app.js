(function () {
  'use strict';

  var doc = document;
  var root = doc.documentElement;
  root.classList.add('js');

  function each(selector, act, within) {
    Array.prototype.forEach.call((within || doc).querySelectorAll(selector), act);
  }

  doc.addEventListener('htmx:configRequest', function (event) {
    var token = doc.querySelector('meta[name="csrf-token"]');
    if (token) event.detail.headers['X-CSRFToken'] = token.content;
  });

  function trouble(event) {
    each('.trouble', function (box) { box.hidden = event.type === 'htmx:beforeRequest'; });
  }
  doc.addEventListener('htmx:beforeRequest', trouble);
  doc.addEventListener('htmx:sendError', trouble);
  doc.addEventListener('htmx:responseError', trouble);

  doc.addEventListener('htmx:afterSettle', function (event) {
    ready(event.target);
    var first = event.target.querySelector('[aria-invalid="true"]') || event.target.querySelector('[autofocus]');
    if (first) first.focus();
  });

  function ask(words, yes) {
    var dialog = doc.getElementById('confirm-dialog');
    // Older web views have no native dialog.
    if (!dialog || !dialog.showModal) {
      if (window.confirm(words)) yes();
      return;
    }
    doc.getElementById('confirm-text').textContent = words;
    dialog.returnValue = '';
    dialog.onclose = function () { if (dialog.returnValue === 'yes') yes(); };
    dialog.showModal();
  }

  doc.addEventListener('submit', function (event) {
    var form = event.target;
    if (form.method === 'dialog') return;
    function hold() {
      event.preventDefault();
      event.stopImmediatePropagation();
    }
    if (form.dataset.sending) return hold();
    var button = event.submitter || form.querySelector('[type="submit"], button:not([type])');
    var words = (button && button.dataset.confirm) || form.dataset.confirm;
    if (words && !form.dataset.confirmed) {
      hold();
      ask(words, function () {
        form.dataset.confirmed = 'yes';
        // A click, unlike form.submit(), keeps the button's own name and value.
        button.click();
        delete form.dataset.confirmed;
      });
      return;
    }
    form.dataset.sending = 'yes';
    lock(form, true);
    // An answer that is a file leaves this page standing and says nothing.
    setTimeout(release, 8000, form);
  }, true);

  // aria-disabled, because a button that is really disabled would not send its own value.
  function lock(form, on) {
    each('[type="submit"], button:not([type])', function (button) {
      if (on) button.setAttribute('aria-disabled', 'true'); else button.removeAttribute('aria-disabled');
    }, form);
  }
  function release(form) {
    delete form.dataset.sending;
    lock(form, false);
  }
  function releaseAll() { each('form[data-sending]', release); }
  doc.addEventListener('htmx:afterRequest', releaseAll);
  doc.addEventListener('htmx:validation:halted', releaseAll);
  // Coming back from the browser's own cache.
  window.addEventListener('pageshow', releaseAll);

  // A form that came back with its mistakes stands at its own address: reloading or coming back asks for it by GET,
  // instead of the browser's question whether to send everything again.
  if (doc.querySelector('.error-summary') && doc.querySelector('form[method="post"]:not([action]) .field')) {
    history.replaceState(history.state, '', location.href);
  }

  doc.addEventListener('click', function (event) {
    var hit = function (selector) { return event.target.closest(selector); };
    var button = hit('[data-dialog-open]');
    if (button) {
      var dialog = doc.querySelector(button.dataset.dialogOpen);
      if (dialog && dialog.showModal) {
        event.preventDefault();
        dialog.showModal();
      }
    } else if (hit('[data-dialog-close]')) {
      hit('dialog').close();
    } else if (hit('[data-print]')) {
      window.print();
    } else if (hit('[data-read-aloud]')) {
      readAloud(hit('[data-read-aloud]'));
    }
  });

  doc.addEventListener('change', function (event) {
    var name = event.target.dataset.checkAll;
    if (!name) return;
    function tick(box) {
      if (box.name === name) box.checked = event.target.checked;
    }
    // The boxes of a form may stand outside it, in a table whose rows have forms of their own.
    if (event.target.form) Array.prototype.forEach.call(event.target.form.elements, tick);
    else each('input[type="checkbox"]', tick, event.target.closest('table'));
  });

  function readAloud(button) {
    var speech = window.speechSynthesis;
    var label = button.querySelector('span');
    if (button.dataset.label) {
      speech.cancel();
      return;
    }
    speech.cancel();
    var target = doc.querySelector(button.dataset.readAloud);
    var words = new SpeechSynthesisUtterance(target.innerText);
    words.lang = target.lang || root.lang;
    words.rate = 0.9;
    words.onend = words.onerror = function () {
      label.textContent = button.dataset.label;
      delete button.dataset.label;
    };
    button.dataset.label = label.textContent;
    label.textContent = button.dataset.stopLabel;
    speech.speak(words);
  }

  function ready(within) {
    if (window.speechSynthesis) each('[data-read-aloud]', function (button) { button.hidden = false; }, within);
    each('[data-print]', function (button) { button.hidden = false; }, within);
  }

  ready(doc);
  var summary = doc.querySelector('[data-focus]');
  if (summary) summary.focus();
  window.addEventListener('pagehide', function () { if (window.speechSynthesis) speechSynthesis.cancel(); });
})();
