use std::collections::BTreeMap;

use serde::Deserialize;

use super::*;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    id: u64,
    name: String,
}

fn order() -> Order {
    Order { id: 17, name: "tea".into() }
}

fn encoded<'a>(body: impl Encode<'a>) -> (Vec<u8>, Encoding) {
    let payload = body.encode().unwrap();
    (payload.as_bytes().to_vec(), payload.encoding())
}

#[test]
fn text_and_bytes_go_as_they_are_however_they_are_given() {
    let text = String::from("text");
    let bytes = vec![1u8, 2, 3];
    let raw = |body: &[u8]| (body.to_vec(), Encoding::Raw);
    assert_eq!(encoded("text"), raw(b"text"));
    assert_eq!(encoded(text.as_str()), raw(b"text"));
    assert_eq!(encoded(&text), raw(b"text"));
    assert_eq!(encoded(text), raw(b"text"));
    assert_eq!(encoded(b"text"), raw(b"text"));
    assert_eq!(encoded(&b"text"[..]), raw(b"text"));
    assert_eq!(encoded(&bytes), raw(&[1, 2, 3]));
    assert_eq!(encoded(bytes.as_slice()), raw(&[1, 2, 3]));
    assert_eq!(encoded(Bytes::from(bytes.clone())), raw(&[1, 2, 3]));
    assert_eq!(encoded(bytes), raw(&[1, 2, 3]));
    assert_eq!(encoded(""), raw(b""));
}

#[test]
fn values_go_in_postcard() {
    assert_eq!(encoded(&order()), (b"\x11\x03tea".to_vec(), Encoding::Postcard));
    assert_eq!(encoded(&vec![300u16]), (vec![1, 0xac, 2], Encoding::Postcard));
    assert_eq!(encoded(&7u8), (vec![7], Encoding::Postcard));
    assert_eq!(encoded(&Some("x")), (vec![1, 1, b'x'], Encoding::Postcard));
    assert_eq!(encoded(&vec!["a", "b"]).1, Encoding::Postcard);
    assert_eq!(encoded(&(1u8, "x")).1, Encoding::Postcard, "bytes at first, then not");
}

#[test]
fn what_was_encoded_is_decoded() {
    fn there_and_back<T: Serialize + DeserializeOwned + PartialEq + fmt::Debug>(value: T) {
        let payload = Payload::value(&value).unwrap();
        assert_eq!(decode::<T>(payload.as_bytes(), payload.encoding()).unwrap(), value);
        #[cfg(feature = "json")]
        {
            let payload = Payload::json(&value).unwrap();
            assert_eq!(payload.encoding(), Encoding::Json);
            assert_eq!(decode::<T>(payload.as_bytes(), Encoding::Json).unwrap(), value);
        }
    }
    there_and_back(order());
    there_and_back("text".to_owned());
    there_and_back(String::new());
    there_and_back(vec![1u8, 2, 3]);
    there_and_back(Vec::<u8>::new());
    there_and_back(Vec::<Order>::new());
    there_and_back(vec![order()]);
    there_and_back([7u8; 4]);
    there_and_back((1u8, 2u8));
    there_and_back((1u8, "x".to_owned()));
    there_and_back(Some(3u64));
    there_and_back(Option::<String>::None);
    there_and_back(Some("x".to_owned()));
    there_and_back(BTreeMap::from([("a".to_owned(), 1u32)]));
    there_and_back(());
    there_and_back(true);
}

#[test]
fn a_body_of_another_shape_is_refused() {
    let postcard = Payload::value(&order()).unwrap();
    let error = decode::<(u64, String, u8)>(postcard.as_bytes(), Encoding::Postcard).unwrap_err();
    assert_eq!(error.code(), Code::DecodeFailed);
    let longer = [postcard.as_bytes(), &[0]].concat();
    assert_eq!(decode::<Order>(&longer, Encoding::Postcard).unwrap_err().cause(), "1 bytes are left over");
    assert_eq!(decode::<Order>(b"no", Encoding::Raw).unwrap_err().code(), Code::DecodeFailed);
    assert_eq!(decode::<String>(&[0xff], Encoding::Raw).unwrap_err().code(), Code::DecodeFailed);
    assert_eq!(decode::<Order>(b"", Encoding::Other(9)).unwrap_err().code(), Code::EncodingUnsupported);
    assert_eq!(decode::<[u8; 2]>(b"abc", Encoding::Raw).unwrap_err().code(), Code::DecodeFailed);
}

#[test]
#[cfg(feature = "json")]
fn an_unmarked_body_may_be_json() {
    assert_eq!(decode::<Order>(br#"{"id":17,"name":"tea"}"#, Encoding::Raw).unwrap(), order());
    assert_eq!(decode::<Vec<Order>>(br#"[{"id":17,"name":"tea"}]"#, Encoding::Raw).unwrap(), [order()]);
    assert_eq!(decode::<u64>(b"17", Encoding::Raw).unwrap(), 17);
    assert_eq!(decode::<String>(b"17", Encoding::Raw).unwrap(), "17", "text is text");
}

#[test]
#[cfg(not(feature = "json"))]
fn json_needs_its_feature() {
    assert_eq!(decode::<u64>(b"17", Encoding::Json).unwrap_err().code(), Code::EncodingUnsupported);
}

#[test]
fn encodings_keep_their_numbers() {
    for byte in 0..=u8::MAX {
        assert_eq!(Encoding::from_byte(byte).to_byte(), byte);
    }
    assert_eq!(
        [0, 1, 2, 3].map(Encoding::from_byte),
        [Encoding::Raw, Encoding::Postcard, Encoding::Json, Encoding::Other(3)]
    );
}
