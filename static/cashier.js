// Tells the storefront how the payment went, as wx.requestPayment's callback would.
const result = document.body.dataset.result;
const back = () => parent.postMessage({ errMsg: result }, "*");
document.getElementById("back").addEventListener("click", back);
if (result === "requestPayment:ok") setTimeout(back, 900);
