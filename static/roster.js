// The roster: names are carried from post to post, with mouse, finger or keys. What is dropped fills in one form,
// which htmx sends; without this file the pages behind the names hold the same form.
(function () {
  'use strict';

  var doc = document;
  var FAR = 6, LONG = 350;
  var carried = null, ghost = null, target = null, start = null, timer = 0, dropped = 0;

  function closest(node, selector) { return node && node.closest ? node.closest(selector) : null; }
  // A name on a post or a shift in somebody's week; or somebody in the tray or at the head of her week.
  var ON = '.name[data-signup], .turn[data-signup]';
  function name(node) { return closest(node, ON + ', .roster-tray .name, .people-week th .name'); }
  // Whose name it is, and what its link leads to, say the rest: nothing is written twice.
  function who(node) { return (node.matches('.turn') ? closest(node, 'tr') : node).querySelector('span').textContent; }
  function signup(node) { return node && node.hasAttribute('data-signup') ? node.pathname.split('/').pop() : ''; }
  function volunteer(node) { return signup(node) ? '' : node.hash.replace('#person-', ''); }
  function home(node) { return closest(node, '.post') || closest(node, 'tr'); }
  function said(words) {
    var box = doc.getElementById('roster-said');
    if (box) box.textContent = words;
  }
  function words(which) {
    var box = doc.getElementById('roster-said');
    return box.dataset[which].replace('{who}', who(carried));
  }

  function pick(node) {
    carried = node;
    node.classList.add('picked');
    doc.body.classList.add('carrying');
  }
  function aim(node) {
    if (target) target.classList.remove('target');
    target = node;
    if (target) target.classList.add('target');
  }
  function rest() {
    clearTimeout(timer);
    if (carried) carried.classList.remove('picked');
    if (ghost) ghost.remove();
    aim(null);
    doc.body.classList.remove('carrying');
    carried = ghost = start = null;
  }

  // Where somebody may be put: on a post that is not her own, or, to change places, on a name that is not hers; or, to
  // give a shift to somebody, on the name in the tray or anywhere else in that person's week.
  function place(node) {
    var other = closest(node, ON);
    if (other && signup(carried) && other !== carried && home(other) !== home(carried)) return other;
    var taker = signup(carried) && closest(node, '.roster-tray .name');
    if (taker) return taker;
    var post = closest(node, '.post');
    if (post) return signup(carried) && post === closest(carried, '.post') ? null : post;
    var week = signup(carried) && closest(node, '.people-week tr[id]');
    return week && week !== home(carried) ? week : null;
  }

  function put() {
    var form = doc.getElementById('roster-act'), to = target, from = carried;
    if (!form || !to) return rest();
    var taker = to.matches('tr') ? to.id.replace('person-', '') : to.matches('.roster-tray .name') ? volunteer(to) : '';
    var act = taker ? 'give' : signup(to) ? 'swap' : signup(from) ? 'move' : 'assign';
    form.elements.act.value = act;
    form.elements.signup.value = signup(from);
    form.elements.volunteer.value = taker || volunteer(from);
    form.elements.other.value = signup(to);
    form.elements.post.value = to.dataset.post || '';
    said(words('put'));
    rest();
    form.requestSubmit();
  }

  // Mouse and finger. A finger rests a moment first, so that the page can still be scrolled by it.
  doc.addEventListener('pointerdown', function (event) {
    var node = event.button ? null : name(event.target);
    if (!node || carried) return;
    start = { node: node, x: event.clientX, y: event.clientY };
    if (event.pointerType !== 'mouse') timer = setTimeout(function () { if (start) lift(start.x, start.y); }, LONG);
  });
  function lift(x, y) {
    pick(start.node);
    ghost = start.node.cloneNode(true);
    ghost.classList.add('ghost');
    ghost.removeAttribute('href');
    ghost.setAttribute('aria-hidden', 'true');
    doc.body.appendChild(ghost);
    over(x, y);
  }
  function over(x, y) {
    ghost.style.left = x + 8 + 'px';
    ghost.style.top = y + 8 + 'px';
    aim(place(doc.elementFromPoint(x, y)));
    if (y < 90) window.scrollBy(0, -14);
    var tray = doc.querySelector('.roster-tray[open]');
    var end = tray ? tray.getBoundingClientRect().top : window.innerHeight;
    if (y > end - 50 && y < end) window.scrollBy(0, 14);
    var box = doc.querySelector('.people-week');
    if (!box) return;
    var head = box.querySelector('thead').getBoundingClientRect(), foot = box.getBoundingClientRect().bottom;
    if (y > head.bottom && y < head.bottom + 40) box.scrollBy(0, -14);
    if (y > foot - 50) box.scrollBy(0, 14);
  }
  doc.addEventListener('pointermove', function (event) {
    if (!start) return;
    if (ghost) return over(event.clientX, event.clientY);
    if (Math.hypot(event.clientX - start.x, event.clientY - start.y) < FAR) return;
    if (event.pointerType === 'mouse') lift(event.clientX, event.clientY);
    else { clearTimeout(timer); start = null; }
  });
  doc.addEventListener('pointerup', function () {
    if (!ghost) { clearTimeout(timer); start = null; return; }
    dropped = Date.now();
    if (target) put(); else rest();
  });
  doc.addEventListener('pointercancel', rest);
  doc.addEventListener('touchmove', function (event) { if (ghost) event.preventDefault(); }, { passive: false });
  doc.addEventListener('contextmenu', function (event) { if (ghost) event.preventDefault(); });
  doc.addEventListener('dragstart', function (event) { if (name(event.target)) event.preventDefault(); });
  // The click that ends a drag opens nothing.
  doc.addEventListener('click', function (event) {
    if (Date.now() - dropped < 300 && name(event.target)) event.preventDefault();
  }, true);

  // Keys: a column is a day; its cells are the posts and the names on them, from top to bottom, or in a table of people
  // what is open on the day and who is on something.
  function cells(day) {
    return Array.prototype.filter.call(day.querySelectorAll('.post, .post .name[data-signup], .turn[data-signup]'), function (node) {
      return !carried || place(node) === node;
    });
  }
  function columns() {
    var found = Array.prototype.map.call(doc.querySelectorAll('.week__day'), cells);
    Array.prototype.forEach.call(doc.querySelectorAll('.people-week td'), function (cell) {
      var at = cell.cellIndex - 2;
      if (at >= 0) found[at] = (found[at] || []).concat(cells(cell));
    });
    return found;
  }
  // The column that something stands in, whether or not it is one of the cells itself.
  function column(node) {
    var day = closest(node, '.week__day'), cell = closest(node, '.people-week td');
    return day ? Array.prototype.indexOf.call(doc.querySelectorAll('.week__day'), day) : (cell ? cell.cellIndex - 2 : -1);
  }
  function middle(node) {
    var box = node.getBoundingClientRect();
    return box.top + box.height / 2;
  }
  function next(node, key) {
    var days = columns(), day = column(node);
    if (day < 0) return days.reduce(function (all, some) { return all.concat(some); }, [])[0];
    if (key === 'ArrowUp' || key === 'ArrowDown') {
      var down = key === 'ArrowDown';
      var some = days[day].filter(function (one) {
        var order = node.compareDocumentPosition(one);
        return one !== node && !!(order & (down ? 4 : 2));
      });
      return down ? some[0] : some[some.length - 1];
    }
    var step = key === 'ArrowRight' ? 1 : -1;
    for (var at = day + step; days[at]; at += step) {
      if (days[at].length) {
        return days[at].reduce(function (best, one) {
          return Math.abs(middle(one) - middle(node)) < Math.abs(middle(best) - middle(node)) ? one : best;
        });
      }
    }
    return null;
  }
  function label(node) {
    var post = closest(node, '.post');
    var where = post ? post.getAttribute('aria-label') : closest(node, 'td').dataset.label + ' ' + node.textContent;
    return signup(node) ? who(node) + '，' + where : where;
  }

  // What was just done is taken back from where the hand is: its button is at the head of the page, far from a name.
  doc.addEventListener('keydown', function (event) {
    var back = doc.querySelector('.roster-done button');
    if (!back || carried || event.key !== 'z' || !(event.ctrlKey || event.metaKey)) return;
    if (!closest(event.target, '#roster-grid') || closest(event.target, 'input')) return;
    event.preventDefault();
    back.click();
  });

  doc.addEventListener('keydown', function (event) {
    if (!closest(event.target, '#roster-grid') || event.ctrlKey || event.metaKey || event.altKey) return;
    var node = name(event.target), key = event.key;
    if (ghost) return key === 'Escape' && rest();
    if (key === 'Escape' && carried) {
      var back = carried;
      said(words('cancelled'));
      rest();
      back.focus();
    } else if (key === 'Enter' && carried) {
      if (target) put();
    } else if (key === 'Enter' && node) {
      pick(node);
      said(words('picked'));
    } else if (key === ' ' && node && !carried) {
      node.click();
    } else if (/^Arrow/.test(key) && (carried || node)) {
      var to = next(target || event.target, key);
      if (to) {
        if (carried) { aim(to); said(label(to)); }
        to.focus();
      }
    } else {
      return;
    }
    event.preventDefault();
  });

  // The tray stays open, and narrowed, when the grid comes anew.
  var kept = null;
  doc.addEventListener('htmx:beforeSwap', function () {
    var tray = doc.querySelector('.roster-tray[open]');
    kept = tray && { typed: tray.querySelector('[data-tray-find]').value };
  });
  doc.addEventListener('htmx:afterSwap', function () {
    var tray = kept && doc.querySelector('.roster-tray'), typed = kept && kept.typed;
    kept = null;
    if (!tray) return;
    tray.open = true;
    tray.querySelector('[data-tray-find]').value = typed;
    narrow(typed);
  });
  function narrow(typed) {
    Array.prototype.forEach.call(doc.querySelectorAll('.roster-tray li'), function (item) {
      item.hidden = item.textContent.indexOf(typed) < 0;
    });
  }
  doc.addEventListener('input', function (event) {
    if (!event.target.matches('[data-tray-find]')) return;
    narrow(event.target.value.trim());
  });
})();
