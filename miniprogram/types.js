// What the API answers, made from its own document by tests/miniprogram/types.mjs. Types only: nothing here runs.

/**
 * @typedef {object} Error
 * @property {{code: string, message: string, requestId: string, fields?: Record<string, string>, details?: any}} error
 */

/**
 * @typedef {object} Shop
 * @property {string} name
 * @property {string | null} logoUrl
 * @property {string} notice
 * @property {string} phone
 * @property {boolean} open
 * @property {boolean} sandbox true 表示连的是模拟微信
 * @property {number} payMinutes
 * @property {string} freightText
 * @property {{address: string, hoursText: string}} pickup 自提地点和营业时间，没填是空的
 * @property {{express: number | null, local: number | null}} leastFen 商品满多少分才发、才送，不限是 null
 * @property {Array<string>} subscribeTemplateIds 付款之后请求订阅的模板，最多 3 个
 * @property {{shipped: string | null, refunded: string | null, pickupReady: string | null, unpaid: string | null, afterSale: string | null}} subscribeTemplates 每种订阅消息的模板，没有选的是 null；unpaid 在付款没有完成时请求，afterSale 在申请退换货时请求
 */

/**
 * @typedef {object} Category
 * @property {string} id
 * @property {string} name
 * @property {string | null} iconUrl
 * @property {Picture | null} icon
 * @property {number} productCount
 * @property {Array<Category>} children
 */

/**
 * @typedef {object} Picture
 * @property {string} thumb 最宽 240 像素：购物车和订单里的小图
 * @property {string} card 最宽 540 像素：列表里两个一排
 * @property {string} full 最宽 1200 像素：轮播和详情
 */

/**
 * @typedef {object} ProductItem
 * @property {string} id
 * @property {string} name
 * @property {string} subtitle
 * @property {string | null} coverUrl
 * @property {Picture | null} cover
 * @property {number} priceFen 分
 * @property {number} maxPriceFen 分
 * @property {number | null} marketPriceFen
 * @property {number} soldCount
 * @property {boolean} soldOut
 */

/**
 * @typedef {object} Home
 * @property {Array<{image: Picture, productId: string | null, categoryId: string | null}>} banners
 * @property {Array<ProductItem>} pinned
 * @property {Array<string>} hotWords
 */

/**
 * @typedef {object} Product
 * @property {string} id
 * @property {string} name
 * @property {string} subtitle
 * @property {string | null} coverUrl
 * @property {Picture | null} cover
 * @property {number} priceFen 分
 * @property {number} maxPriceFen 分
 * @property {number | null} marketPriceFen
 * @property {number} soldCount
 * @property {boolean} soldOut
 * @property {string | null} categoryId
 * @property {Array<string>} images
 * @property {Array<Picture>} pictures images 里的同一批图片，各有三种宽度
 * @property {string} detailHtml 已净化的 HTML
 * @property {Array<{name: string, values: Array<string>}>} specs
 * @property {Array<Sku>} skus
 */

/**
 * @typedef {object} Sku
 * @property {string} id
 * @property {Record<string, string>} specs
 * @property {number} priceFen 分
 * @property {number | null} marketPriceFen
 * @property {number} available
 * @property {string | null} imageUrl
 * @property {Picture | null} image
 * @property {number | null} limitPerOrder 一单最多几件；商品有每人限购时不超过它。已经买过的要问 POST /quote
 * @property {"express" | "local" | "pickup" | "none"} delivery
 * @property {string} deliveryText
 */

/**
 * @typedef {object} LoginForm
 * @property {string} code wx.login 得到的 code，只能用一次
 */

/**
 * @typedef {object} Session
 * @property {string} token
 * @property {string} expiresAt
 * @property {{id: string, isNew: boolean}} buyer
 */

/**
 * @typedef {object} Me
 * @property {string} id
 * @property {string} nickname
 * @property {string} avatarUrl
 * @property {{pendingPayment: number, toShip: number, shipped: number, refunding: number}} counts
 */

/**
 * @typedef {object} ProfileForm
 * @property {string} [nickname]
 * @property {string} [avatarUrl]
 */

/**
 * @typedef {object} Address
 * @property {string} receiver
 * @property {string} phone
 * @property {string} province
 * @property {string} city
 * @property {string} district
 * @property {string} detail
 * @property {string} postcode
 */

/**
 * @typedef {object} SavedAddress
 * @property {string} id
 * @property {string} receiver
 * @property {string} phone
 * @property {string} province
 * @property {string} city
 * @property {string} district
 * @property {string} detail
 * @property {string} postcode
 * @property {boolean} isDefault
 */

/**
 * @typedef {object} AddressForm
 * @property {string} [receiver]
 * @property {string} [phone]
 * @property {string} [province]
 * @property {string} [city]
 * @property {string} [district]
 * @property {string} [detail]
 * @property {string} [postcode]
 * @property {string} [userName]
 * @property {string} [telNumber]
 * @property {string} [provinceName]
 * @property {string} [cityName]
 * @property {string} [countyName]
 * @property {string} [streetName]
 * @property {string} [detailInfo]
 * @property {string} [detailInfoNew]
 * @property {string} [postalCode]
 * @property {string} [nationalCode]
 * @property {string} [nationalCodeFull]
 * @property {string} [errMsg]
 * @property {boolean} [isDefault]
 */

/**
 * @typedef {object} PastedText
 * @property {string} text
 */

/**
 * @typedef {object} PastedAddress
 * @property {string} receiver
 * @property {string} phone
 * @property {string} province
 * @property {string} city
 * @property {string} district
 * @property {string} detail
 * @property {string} postcode
 */

/**
 * @typedef {object} ItemForm
 * @property {string} skuId
 * @property {number} quantity
 */

/**
 * @typedef {object} QuoteForm
 * @property {Array<ItemForm>} items
 * @property {string} [addressId]
 * @property {AddressForm} [address]
 * @property {"express" | "local" | "pickup" | "none"} [delivery]
 * @property {string} [pickupPhone] 自提时来取货的人的电话
 * @property {string} [slotId] 送达或取货的时间，quote 给的 slots 之一
 * @property {string} [couponId] 用哪张优惠券：编号；none 表示不用；不写由服务器选最省的
 */

/**
 * @typedef {object} QuoteLine
 * @property {string} productId
 * @property {string} skuId
 * @property {string} name
 * @property {string} specText
 * @property {string | null} imageUrl
 * @property {Picture | null} image
 * @property {number} priceFen 分
 * @property {number} quantity
 * @property {number} amountFen 分
 * @property {number} available
 * @property {number} discountFen 分
 */

/**
 * @typedef {object} Quote
 * @property {Array<QuoteLine>} lines
 * @property {number} goodsFen 分
 * @property {number} freightFen 分
 * @property {Array<FreightPart>} freights 运费怎么来的，包邮活动之前；合起来是减免前的运费
 * @property {number} discountFen 分
 * @property {number} totalFen 分
 * @property {"express" | "local" | "pickup" | "none"} delivery
 * @property {string} deliveryText
 * @property {boolean} needsPhone 买家来取：请他留个电话
 * @property {Array<Slot>} slots 可以约的送达或取货时间；不用选时间的是空的
 * @property {string | null} slotId 选好的时间
 * @property {Array<Discount>} discounts 为什么便宜了；合起来等于 discountFen 加减掉的运费
 * @property {Array<HeldCoupon>} coupons 买家手里的优惠券；没有登录时是空的
 * @property {Array<string>} hints 再买多少能更省，例如 再买 ¥12 就减 ¥10
 * @property {Array<{code: string, message: string, details: any}>} warnings
 */

/**
 * @typedef {object} PrepayForm
 * @property {Array<ItemForm>} items
 * @property {string} [addressId]
 * @property {AddressForm} [address]
 * @property {"express" | "local" | "pickup" | "none"} [delivery]
 * @property {string} [pickupPhone] 自提时来取货的人的电话
 * @property {string} [slotId] 送达或取货的时间，quote 给的 slots 之一
 * @property {string} [remark]
 * @property {number} [expectedTotalFen] 买家看到的总价；和现在的价格不同时返回 price_changed
 * @property {string} [couponId] 用哪张优惠券：编号；none 表示不用；不写由服务器选最省的
 */

/**
 * @typedef {object} Payment
 * @property {string} appId
 * @property {string} timeStamp
 * @property {string} nonceStr
 * @property {string} package
 * @property {string} signType
 * @property {string} paySign
 */

/**
 * @typedef {object} Payable
 * @property {Order} order
 * @property {Payment | null} payment 0 元订单不用付款，是 null，订单已经是待发货
 */

/**
 * @typedef {object} Order
 * @property {string} orderNo
 * @property {string | null} outTradeNo 商户订单号：付款的那一次，没付就是最近一次
 * @property {string | null} transactionId 微信支付订单号，付款后才有；确认收货组件要用
 * @property {"pending_payment" | "to_ship" | "shipped" | "completed" | "closed"} status
 * @property {string} statusText
 * @property {Array<{word: "returning" | "refunding" | "partly_refunded" | "fully_refunded", text: string}>} chips 状态旁边的标签，由服务器决定
 * @property {string} createdAt
 * @property {string} expiresAt
 * @property {string | null} paidAt
 * @property {string | null} shippedAt
 * @property {string | null} completedAt
 * @property {string | null} closedAt
 * @property {"timeout" | "buyer_cancelled" | "staff_cancelled" | "refunded" | null} closedReason
 * @property {string | null} closedReasonText
 * @property {number} goodsFen 分
 * @property {number} freightFen 分
 * @property {number} discountFen 分
 * @property {number} totalFen 分
 * @property {number} paidFen 分
 * @property {number} refundedFen 分
 * @property {Array<Discount>} discounts 下单时的优惠；商家之后改的价不在里面
 * @property {number} agreedFen 商家之后改价多减的，和 discounts 加起来是 discountFen；负数是改贵了
 * @property {string} remark
 * @property {Address | null} address
 * @property {"express" | "local" | "pickup" | "none"} delivery
 * @property {string} deliveryText
 * @property {string | null} slotText 约好的送达或取货时间，例如 10-08 周四 14:00–15:00
 * @property {string | null} slotStartsAt
 * @property {string | null} slotEndsAt
 * @property {Pickup | null} pickup
 * @property {Array<OrderLine>} lines
 * @property {Array<Shipment>} shipments
 * @property {Array<Refund>} refunds
 * @property {Array<Return>} returns 退货退款和换货
 * @property {Array<Resend>} resends
 * @property {{pay: boolean, cancel: boolean, confirm: boolean, refund: boolean}} actions
 * @property {boolean} returnable 可以申请退货退款或换货
 * @property {boolean} hidden 买家把它从自己的列表移走了
 * @property {boolean} hideable 现在可以移走
 * @property {string} serverTime
 */

/**
 * @typedef {object} OrderLine
 * @property {string} id
 * @property {string} productId
 * @property {string} skuId
 * @property {string} name
 * @property {string} specText
 * @property {string | null} imageUrl
 * @property {Picture | null} image
 * @property {number} priceFen 分
 * @property {number} quantity
 * @property {number} shippedQuantity
 * @property {number} refundedQuantity
 * @property {number} discountFen 分
 */

/**
 * @typedef {object} Shipment
 * @property {string} id
 * @property {string} company
 * @property {string} companyText
 * @property {string} trackingNo
 * @property {string} shippedAt
 * @property {Array<{lineId: string, quantity: number}>} lines
 */

/**
 * @typedef {object} Refund
 * @property {string} id
 * @property {string} refundNo
 * @property {"requested" | "approved" | "processing" | "succeeded" | "rejected" | "cancelled" | "failed" | "abnormal"} state
 * @property {string} stateText 给买家看的话；failed 和 abnormal 是商家要处理的事，对买家仍是“退款中”
 * @property {number} amountFen 分
 * @property {number} freightFen 分
 * @property {string} reason
 * @property {string} description
 * @property {string} answer 商家拒绝时的说明
 * @property {Array<{lineId: string, quantity: number, amountFen: number}>} lines
 * @property {Array<Photo>} photos
 * @property {string} createdAt
 * @property {string | null} endedAt
 * @property {boolean} cancellable 买家还能撤回
 */

/**
 * @typedef {object} RefundForm
 * @property {Array<{lineId: string, quantity: number}>} [lines] 要退的商品行；不写是整单退款
 * @property {string} reason
 * @property {string} [description]
 * @property {Array<string>} [photos] 先用 POST /photos 上传，再写它们的 id
 */

/**
 * @typedef {object} RefundQuoteForm
 * @property {Array<{lineId: string, quantity: number}>} [lines] 要退的商品行；不写是整单退款
 */

/**
 * @typedef {object} RefundQuote
 * @property {number} amountFen 分
 * @property {number} freightFen 分
 * @property {Array<{lineId: string, quantity: number, amountFen: number}>} lines
 * @property {string | null} couponText 下单用的优惠券会不会退回
 */

/**
 * @typedef {object} Discount
 * @property {string} promotionId
 * @property {"reduce" | "percent" | "freight"} kind 满减、折扣、包邮
 * @property {string} name
 * @property {string} text 例如 满 ¥100 减 ¥10
 * @property {string | null} couponId 用了优惠券时是它的编号
 * @property {number} amountFen 商品减了多少，分
 * @property {number} freightFen 运费减了多少，分；freightFen 里已经不含
 */

/**
 * @typedef {object} HeldCoupon
 * @property {string} id
 * @property {string} name
 * @property {string} text
 * @property {string | null} endsAt
 * @property {boolean} usable
 * @property {boolean} used 这次算价用了它
 * @property {string | null} reason 用不了的原因
 */

/**
 * @typedef {object} Coupon
 * @property {string} id
 * @property {string} promotionId
 * @property {string} name
 * @property {"reduce" | "percent" | "freight"} kind 满减、折扣、包邮
 * @property {string} kindText
 * @property {string} text
 * @property {string} scopeText
 * @property {string} startsAt
 * @property {string | null} endsAt
 * @property {"usable" | "waiting" | "held" | "used" | "expired"} state
 * @property {string} stateText
 * @property {boolean} returning 用它的订单已经取消，等微信的支付单关闭后退回；这时 state 还是 used
 * @property {string | null} orderNo 占用或用了它的订单
 */

/**
 * @typedef {object} Promotion
 * @property {string} id
 * @property {string} name
 * @property {"reduce" | "percent" | "freight"} kind 满减、折扣、包邮
 * @property {string} kindText
 * @property {string} text
 * @property {string} scopeText
 * @property {string} startsAt
 * @property {string | null} endsAt
 * @property {string | null} code 领取优惠券用的码；不用领的活动是 null
 * @property {boolean} claimable 现在可以领
 */

/**
 * @typedef {object} CouponForm
 * @property {string} code 优惠码，大小写都可以
 */

/**
 * @typedef {object} Draft
 * @property {string} code
 * @property {"open" | "taken" | "withdrawn" | "expired"} state
 * @property {string} stateText
 * @property {Array<{skuId: string, name: string, specText: string, imageUrl: string | null, image: Picture | null, priceFen: number, quantity: number, amountFen: number}>} lines
 * @property {number} goodsFen 分
 * @property {number} freightFen 分
 * @property {number} totalFen 分
 * @property {"express" | "local" | "pickup" | "none"} delivery
 * @property {string} deliveryText
 * @property {boolean} needsAddress 要由买家给地址
 * @property {boolean} needsPhone 买家来取：请他留个电话
 * @property {Array<Slot>} slots 可以约的送达或取货时间；不用选时间的是空的
 * @property {string | null} receiver 商家写的收货人，隐去一部分
 * @property {string | null} place
 * @property {string} remark
 * @property {string} expiresAt
 * @property {string | null} problem 为什么不能寄到 addressId 那里
 * @property {string | null} orderNo 已经是自己的订单时
 */

/**
 * @typedef {object} TakeForm
 * @property {string} [addressId]
 * @property {AddressForm} [address]
 * @property {string} [pickupPhone] 自提时来取货的人的电话
 * @property {string} [slotId] 送达或取货的时间，这张单给的 slots 之一
 * @property {number} [expectedTotalFen] 买家看到的总价；和寄到这个地址的不同时返回 price_changed
 */

/**
 * @typedef {object} Pickup
 * @property {string} phone 来取货的人的电话，没留是空的
 * @property {string | null} code 8 位取货码：付款后、取走前才有
 * @property {string | null} qrUrl 同一个取货码的二维码图片，data: 地址，可以直接放进 image；订单列表里不画，是 null
 * @property {string | null} readyAt 店家备好的时间
 * @property {string | null} fetchedAt 取走的时间
 */

/**
 * @typedef {object} CartLine
 * @property {string} skuId
 * @property {string} productId
 * @property {string} name
 * @property {string} specText
 * @property {string | null} imageUrl
 * @property {Picture | null} image
 * @property {number} quantity 想要几件
 * @property {number} buyableQuantity 现在能买几件；0 就是买不了
 * @property {number} available 现货，最多说到 999
 * @property {number} priceFen 现在的价格，分
 * @property {number} thenFen 放进来或上次买时的价格，分
 * @property {string} priceText 价格变了怎么说，没变是空的
 * @property {"ready" | "short" | "limited" | "sold_out" | "off_shelf"} state 可以买、库存不够、超过限购、已售罄、已下架
 * @property {string} stateText
 * @property {boolean} ticked 勾选了，结算时要买
 * @property {string} addedAt
 */

/**
 * @typedef {object} Cart
 * @property {Array<CartLine>} items
 * @property {string | null} nextCursor
 * @property {Array<{skuId: string, reason: "not_found" | "cart_full", reasonText: string}>} leftOut 这次没有放进去的，和原因
 */

/**
 * @typedef {object} CartForm
 * @property {Array<{skuId: string, quantity: number, ticked?: boolean}>} items
 * @property {boolean} [merge] 登录前手机上的购物车并进来：同一规格取件数多的
 */

/**
 * @typedef {object} AgainLine
 * @property {string} lineId 订单里的那一行
 * @property {string} skuId
 * @property {string} productId
 * @property {string} name
 * @property {string} specText
 * @property {string | null} imageUrl
 * @property {Picture | null} image
 * @property {number} quantity 想要几件
 * @property {number} buyableQuantity 现在能买几件；0 就是买不了
 * @property {number} available 现货，最多说到 999
 * @property {number} priceFen 现在的价格，分
 * @property {number} thenFen 放进来或上次买时的价格，分
 * @property {string} priceText 价格变了怎么说，没变是空的
 * @property {"ready" | "short" | "limited" | "sold_out" | "off_shelf"} state 可以买、库存不够、超过限购、已售罄、已下架
 * @property {string} stateText
 */

/**
 * @typedef {object} Favourite
 * @property {string} productId
 * @property {string} name
 * @property {string} subtitle
 * @property {string | null} coverUrl
 * @property {Picture | null} cover
 * @property {number} priceFen 现在的价格，分
 * @property {number} maxPriceFen 分
 * @property {number | null} marketPriceFen
 * @property {number} thenFen 收藏时的价格，分
 * @property {string} priceText 价格变了怎么说，没变或下架是空的
 * @property {"on_sale" | "sold_out" | "off_shelf"} state
 * @property {string} stateText
 * @property {string} addedAt
 */

/**
 * @typedef {object} Marked
 * @property {string} productId
 * @property {boolean} favourite
 */

/**
 * @typedef {object} Photo
 * @property {string} id
 * @property {string} url 要带登录的 token 才能取，只有买家本人和店里看得到
 * @property {string} thumbUrl
 */

/**
 * @typedef {object} Return
 * @property {string} id
 * @property {"return" | "exchange"} kind
 * @property {string} kindText
 * @property {"requested" | "agreed" | "sent_back" | "received" | "done" | "rejected" | "cancelled" | "lapsed"} state
 * @property {string} stateText 给买家看的话
 * @property {string} reason
 * @property {string} description
 * @property {string} answer 商家说的话
 * @property {string} address 寄回的地址，商家同意之后才有
 * @property {Array<{lineId: string, quantity: number, skuId: string | null}>} lines
 * @property {Array<Photo>} photos
 * @property {ReturnParcel | null} parcel
 * @property {string | null} refundId 验收后的退款，在订单的 refunds 里
 * @property {string | null} resendId 换的商品的包裹，在订单的 resends 里
 * @property {string | null} dueAt 这一步到什么时候为止：agreed 时过期没寄回就自动关闭
 * @property {Array<{at: string, by: "buyer" | "staff" | "system", state: "requested" | "agreed" | "sent_back" | "received" | "done" | "rejected" | "cancelled" | "lapsed", stateText: string, note: string}>} steps
 * @property {string} createdAt
 * @property {string | null} endedAt
 * @property {{cancel: boolean, send: boolean}} actions
 */

/**
 * @typedef {object} ReturnParcel
 * @property {string} company
 * @property {string} companyText
 * @property {string} trackingNo
 */

/**
 * @typedef {object} Resend
 * @property {string} id
 * @property {string | null} returnId 换货的包裹是哪一笔换货的；补发的是 null
 * @property {string} reason
 * @property {string} company
 * @property {string} companyText
 * @property {string} trackingNo
 * @property {string} shippedAt
 * @property {Array<{lineId: string, skuId: string, quantity: number}>} lines
 */

/**
 * @typedef {object} ReturnOptions
 * @property {Array<{kind: "return" | "exchange", text: string}>} kinds
 * @property {Array<string>} reasons 给买家选的原因，也可以自己写
 * @property {Array<{lineId: string, quantity: number, specText: string, priceFen: number, paidFen: number, skus: Array<{id: string, specText: string, available: number, priceFen: number, differenceFen: number}>}>} lines
 * @property {number} mostPhotos
 */

/**
 * @typedef {object} ReturnForm
 * @property {"return" | "exchange"} kind
 * @property {Array<{lineId: string, quantity: number, skuId?: string}>} lines
 * @property {string} reason
 * @property {string} [description]
 * @property {Array<string>} [photos] 先用 POST /photos 上传，再写它们的 id
 */

/**
 * @typedef {object} ReturnParcelForm
 * @property {string} [company] 快递公司的名称；不写按单号认
 * @property {string} trackingNo
 */

/**
 * @typedef {object} FreightPart
 * @property {string} name 运费模板的名称，没有选模板的是 快递
 * @property {string} text 怎么算的，例如 2.5 kg：首 1 kg ¥8.00，每续 0.5 kg ¥2.00
 * @property {number} feeFen 分
 * @property {number} goodsFen 分
 * @property {number} pieces
 * @property {number} weightGrams 克
 */

/**
 * @typedef {object} Poster
 * @property {number} width 单位：宽 750 的一张纸
 * @property {number} height
 * @property {string} background 底色
 * @property {Array<{url: string, x: number, y: number, width: number, height: number, radius: number}>} pictures 先画；填满方框，多出来的裁掉
 * @property {Array<{text: string, x: number, y: number, size: number, bold: boolean, color: string, align: "start" | "middle"}>} texts 一行一项，已经折好行
 */

/**
 * @typedef {object} Invoice
 * @property {string} orderNo
 * @property {"none" | "asked" | "issued" | "refused"} state 还没有申请、等店家开票、已开票、没有开
 * @property {string} stateText
 * @property {number} amountFen 开票金额：实付减去已退，分；已开的是开的时候的金额
 * @property {boolean} askable 现在可以申请，或者改抬头再申请
 * @property {"personal" | "company" | null} titleKind 个人、企业
 * @property {string} title 发票抬头
 * @property {string} taxNo 税号，个人是空的
 * @property {string} email
 * @property {string} number 发票号码
 * @property {string} link 发票文件的地址，可能是空的
 * @property {string} answer 没有开的原因；已开的之后又退款，这里说要冲红
 * @property {string | null} askedAt
 * @property {string | null} decidedAt
 */

/**
 * @typedef {object} InvoiceForm
 * @property {"personal" | "company"} titleKind
 * @property {string} title
 * @property {string} [taxNo] 企业要填：15 到 20 位，18 位的会核对校验位
 * @property {string} [email]
 */

/**
 * @typedef {object} Slot
 * @property {string} id
 * @property {string} day
 * @property {string} dayText 今天、明天或 10-10 周六
 * @property {string} text 14:00–15:00
 * @property {string} startsAt
 * @property {string} endsAt
 * @property {boolean} full 约满了
 */

module.exports = {};
