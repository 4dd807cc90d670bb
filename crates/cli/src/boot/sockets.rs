//! Listening sockets, passed from one process to another over a Unix socket (`SCM_RIGHTS`).

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use tokio::io::Interest;
use tokio::net::UnixStream;

/// What the kernel passes in one message (`SCM_MAX_FD`).
pub(crate) const MOST_SOCKETS: usize = 253;
/// Longer lines are nobody's of ours.
const LONGEST_LINE: usize = 64 << 10;

/// Sends a line and sockets with it.
///
/// # Errors
/// Of the kernel; there are more sockets than it takes; the line does not fit into one message.
pub(crate) async fn send_sockets(
    stream: &UnixStream,
    line: &str,
    sockets: &[TcpListener],
) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(TcpListener::as_fd).collect();
    if descriptors.len() > MOST_SOCKETS {
        return Err(io::Error::other(
            "there are more sockets than can be passed",
        ));
    }
    let bytes = format!("{line}\n");
    let sent = stream.async_io(Interest::WRITABLE, || {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() {
            ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        }
        let parts = [IoSlice::new(bytes.as_bytes())];
        Ok(sendmsg(
            stream,
            &parts,
            &mut ancillary,
            SendFlags::NOSIGNAL,
        )?)
    });
    match sent.await? == bytes.len() {
        true => Ok(()),
        false => Err(io::Error::other(
            "the addresses do not fit into one message",
        )),
    }
}

/// Receives a line, without its end, and the sockets that came with it.
///
/// # Errors
/// Of the kernel; the other side is gone, or says what is no line.
pub(crate) async fn receive_sockets(stream: &UnixStream) -> io::Result<(String, Vec<TcpListener>)> {
    let (mut line, mut sockets) = (Vec::new(), Vec::new());
    while line.last() != Some(&b'\n') {
        let mut bytes = [0; 4 << 10];
        let (read, fresh) = stream
            .async_io(Interest::READABLE, || receive(stream, &mut bytes))
            .await?;
        sockets.extend(fresh);
        if read == 0 || line.len() > LONGEST_LINE {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        line.extend_from_slice(bytes.get(..read).unwrap_or_default());
    }
    line.pop();
    let line = String::from_utf8(line).map_err(io::Error::other)?;
    Ok((line, sockets))
}

fn receive(stream: &UnixStream, bytes: &mut [u8]) -> io::Result<(usize, Vec<TcpListener>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_SOCKETS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut parts = [IoSliceMut::new(bytes)];
    let received = recvmsg(stream, &mut parts, &mut ancillary, RecvFlags::CMSG_CLOEXEC)?;
    let descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let sockets = descriptors.flatten().map(OwnedFd::into).collect();
    Ok((received.bytes, sockets))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use tokio::io::AsyncWriteExt as _;

    use super::*;

    #[tokio::test]
    async fn sockets_arrive_in_their_order_and_listen() {
        let listener = || TcpListener::bind("127.0.0.1:0").unwrap();
        for count in [0, 1, 3] {
            let (one, other) = UnixStream::pair().unwrap();
            let sockets: Vec<_> = (0..count).map(|_| listener()).collect();
            let addresses = |sockets: &[TcpListener]| -> Vec<_> {
                sockets.iter().map(|s| s.local_addr().unwrap()).collect()
            };
            let expected = addresses(&sockets);
            send_sockets(&one, "a line", &sockets).await.unwrap();
            drop(sockets);
            let (line, got) = receive_sockets(&other).await.unwrap();
            assert_eq!(line, "a line");
            assert_eq!(addresses(&got), expected);
            for address in expected {
                std::net::TcpStream::connect(address).unwrap();
            }
        }
    }

    #[tokio::test]
    async fn a_line_without_its_end_and_one_without_end_are_errors() {
        let (mut one, other) = UnixStream::pair().unwrap();
        one.write_all(b"half").await.unwrap();
        drop(one);
        assert!(receive_sockets(&other).await.is_err());
        let (mut one, other) = UnixStream::pair().unwrap();
        let flood = async { while one.write_all(&[b'a'; 1 << 10]).await.is_ok() {} };
        let judge = async {
            assert!(receive_sockets(&other).await.is_err());
            drop(other);
        };
        tokio::join!(flood, judge);
    }
}
