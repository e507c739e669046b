(function () {
  'use strict';

  var media = navigator.mediaDevices;
  if (!media || !media.getUserMedia) return;

  function decoderOf(box) {
    if (window.BarcodeDetector) {
      var native = new BarcodeDetector({ formats: ['qr_code'] });
      return Promise.resolve(function (image, video) {
        return native.detect(video).then(function (found) { return found.length ? found[0].rawValue : ''; });
      });
    }
    // jsQR weighs more than all the rest of a page, so only a pressed button fetches it.
    return new Promise(function (resolve, reject) {
      var script = document.createElement('script');
      script.src = box.dataset.decoder;
      script.onload = function () {
        resolve(function (image) {
          var found = window.jsQR(image.data, image.width, image.height, { inversionAttempts: 'dontInvert' });
          return Promise.resolve(found ? found.data : '');
        });
      };
      script.onerror = reject;
      document.head.appendChild(script);
    });
  }

  Array.prototype.forEach.call(document.querySelectorAll('[data-scan]'), function (box) {
    var input = document.querySelector(box.dataset.scan);
    var video = box.querySelector('video');
    var start = box.querySelector('[data-scan-start]');
    var stop = box.querySelector('[data-scan-stop]');
    var trouble = box.querySelector('[data-scan-trouble]');
    var canvas = document.createElement('canvas');
    var stream = null;

    function show(on) {
      video.hidden = stop.hidden = !on;
      start.hidden = on;
    }
    function end() {
      if (stream) stream.getTracks().forEach(function (track) { track.stop(); });
      stream = null;
      video.srcObject = null;
      show(false);
    }
    function fail() {
      end();
      trouble.hidden = false;
    }
    function accept(text) {
      end();
      input.value = text.trim();
      var button = input.form.querySelector('[type="submit"], button:not([type])');
      // A click, unlike form.submit(), passes through the double-submit lock and htmx.
      if (button) button.click(); else input.focus();
    }
    function look(decode) {
      if (!stream) return;
      if (video.readyState < 2) {
        setTimeout(look, 150, decode);
        return;
      }
      var scale = Math.min(1, 640 / video.videoWidth);
      canvas.width = video.videoWidth * scale;
      canvas.height = video.videoHeight * scale;
      var pen = canvas.getContext('2d', { willReadFrequently: true });
      pen.drawImage(video, 0, 0, canvas.width, canvas.height);
      decode(pen.getImageData(0, 0, canvas.width, canvas.height), video).then(function (text) {
        if (text && stream) accept(text); else setTimeout(look, 150, decode);
      }, fail);
    }

    start.addEventListener('click', function () {
      trouble.hidden = true;
      media.getUserMedia({ video: { facingMode: 'environment' } }).then(function (opened) {
        stream = opened;
        video.srcObject = opened;
        show(true);
        stop.focus();
        return video.play().then(function () { return decoderOf(box); }).then(look);
      }).catch(fail);
    });
    stop.addEventListener('click', function () {
      end();
      start.focus();
    });
    window.addEventListener('pagehide', end);
    box.hidden = !input || !input.form;
  });
})();
